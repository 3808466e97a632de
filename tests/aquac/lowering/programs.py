"""Helpers of the lowering tests: from Aqua text to models and scripts."""

from __future__ import annotations

from aquac import Compiled, Options, compile_bundle
from aquac.lowering.validate import problems

HEADER = """aqua Main declares *

export f

data User:
  name: string
  tags: []string

service Echo("echo"):
  say(s: string) -> string
  list() -> []string
  user() -> User
  log(s: string)

service Worker:
  run(job: string) -> string

"""


def compiled(body: str, *, options: Options | None = None, **files: str) -> Compiled:
    """Compile `HEADER + body`; other files are `name.aqua`. Every model must be sound."""
    sources = {f"{name}.aqua": text for name, text in files.items()}
    sources["main.aqua"] = body if body.startswith("aqua ") else HEADER + body
    result = compile_bundle(sources, "main.aqua", options=options or Options())
    assert result.ok, [d.message for d in result.diagnostics if d.is_error]
    for function in result.functions.values():
        assert problems(function.model) == []
    return result


def script(body: str, *, options: Options | None = None, **files: str) -> str:
    """AIR text of function `f`."""
    return compiled(body, options=options, **files).functions["f"].script


def calls(body: str, *, options: Options | None = None, **files: str) -> list[str]:
    """The `call` lines of `f`, without those of the wrapper's getters and error handler."""
    lines = [line.strip() for line in script(body, options=options, **files).splitlines()]
    return [line for line in lines if line.startswith("(call") and "getDataSrv" not in line and "errorHand" not in line]
