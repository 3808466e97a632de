"""A single call is compiled as a function of its own."""

from aquac import compile_call

from .programs import HEADER

BODY = HEADER + "func f(x: string, n: u32, ys: []string) -> string, u32:\n  r <- Echo.say(x)\n  <- r, n\n"


def check(call: str, data: dict[str, object], arguments: list[str], *lines: str) -> None:
    compiled = compile_call({"main.aqua": BODY}, call, data=data, entry="main.aqua")
    assert compiled.ok, [d.message for d in compiled.diagnostics]
    assert compiled.call is not None
    assert compiled.call.name == "fRun"
    fields = compiled.call.definition["arrow"]["domain"].get("fields", {})
    assert list(fields) == arguments
    script = [line.strip() for line in compiled.call.script.splitlines()]
    for line in lines:
        assert line in script, compiled.call.script


def test_literals_are_put_in() -> None:
    check('f("a", 5, ["b"])', {}, [], '(call %init_peer_id% ("echo" "say") ["a"] ret)')


def test_variables_become_arguments() -> None:
    check(
        'f(v, 5, ["b"])',
        {"v": "text"},
        ["v"],
        '(call %init_peer_id% ("getDataSrv" "v") [] -v-arg-)',
        '(call %init_peer_id% ("callbackSrv" "response") [ret 5])',
    )
