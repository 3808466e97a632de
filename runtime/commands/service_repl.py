"""`avm service repl`: talk to a running service, line by line.

Results go to stdout as JSON, errors and messages of modules to stderr; no error ends the conversation. Ctrl-C stops a call, or forgets a
line; the end of the input, or `quit`, ends it with exit code 0. On a terminal lines are edited, completed and remembered.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import OK, CommandError

from .service_shared import PLACE, add_permissions, config_of, logger_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from runtime.marine.call_parameters import CallParameters
    from runtime.marine.host import Service

    from .service_shared import SubParsers

PROMPT: Final = "> "
HISTORY_LINES_MAX: Final = 1000
"""Lines kept for the next time, in the user's cache folder."""

HELP: Final = """\
call FUNCTION [ARGUMENTS] [as MODULE] [with PARAMETERS]
                        call a function; ARGUMENTS: a JSON array, or an object by names; PARAMETERS: JSON, what the modules are
                        told about their caller in this call
parameters [JSON]       what they are told in calls without `with`; alone: show it
interface [MODULE]      functions and records, as Aqua
modules                 modules in load order; the last one is called where no other is named
memory                  bytes of the memory of every module
envs [MODULE]           environment variables of the modules
reload                  read the files again and start anew; what was in memory is gone
help                    this
quit                    end"""


class LineError(ValueError):
    """A line cannot be understood."""


def configure(commands: SubParsers) -> None:
    """Add the sub-command."""
    repl = commands.add_parser("repl", help="talk to a service: call functions, look at memory and interfaces, reload")
    repl.description = "Talk to a running service, line by line; `help` lists the commands."
    repl.add_argument("service", nargs="+", metavar=PLACE)
    add_permissions(repl)
    repl.set_defaults(handler=_repl)


def _repl(args: argparse.Namespace) -> int:
    from runtime.marine.host import Service

    def start() -> Service:
        return Service(config_of(args), log=logger_of(args))

    with Repl(start) as repl:
        terminal = sys.stdin.isatty()
        if terminal and not args.quiet:
            print(f"service {repl.service.facade}; help lists the commands", file=sys.stderr)
        history = _Editing(repl) if terminal else None
        try:
            _read_lines(repl, terminal=terminal)
        finally:
            if history is not None:
                history.save()
    return OK


def _read_lines(repl: Repl, *, terminal: bool) -> None:
    with suppress(AttributeError):
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # bytes that are no text are no reason to end
    while True:
        try:
            line = input(PROMPT) if terminal else sys.stdin.readline()
            if not terminal and not line:
                return
            if not repl.run(line):
                return
        except EOFError:
            return
        except KeyboardInterrupt:
            # while a line is typed, or right behind a command
            if not terminal:
                raise
            print(file=sys.stderr)


class Repl:
    """A conversation with one service at a time; `start` makes it."""

    def __init__(self, start: Callable[[], Service]) -> None:
        """Start the service. Raises what `start` does."""
        from runtime.marine.call_parameters import NO_PARAMETERS

        self._start = start
        self.service = start()
        self._parameters: CallParameters = NO_PARAMETERS
        self._parameters_text = "{}"
        self.commands: dict[str, Callable[[str], None]] = {
            "call": self._call,
            "parameters": self._set_parameters,
            "interface": self._interface,
            "modules": self._modules,
            "memory": self._memory,
            "envs": self._envs,
            "reload": self._reload,
            "help": self._help,
        }

    def __enter__(self) -> Repl:
        """Close the service at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """See `__enter__`."""
        self.service.close()

    def run(self, line: str) -> bool:
        """Obey a line; False when it ends the conversation. Every other outcome is printed."""
        from runtime.marine.config import ConfigError
        from runtime.marine.errors import MarineError

        word, rest = _first_word(line)
        if word in ("quit", "exit"):
            return False
        if not word or word.startswith("#"):
            return True
        command = self.commands.get(word)
        try:
            if command is None:
                raise LineError(f"unknown command `{word}`; help lists them")
            command(rest)
        except (LineError, MarineError, ConfigError, CommandError) as error:
            self._complain(str(error))
        except KeyboardInterrupt:
            self._complain("interrupted")
        sys.stdout.flush()
        return True

    def _complain(self, text: str) -> None:
        sys.stdout.flush()
        print(f"error: {text}", file=sys.stderr, flush=True)

    # ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, rest: str) -> None:
        from runtime.marine.call_parameters import from_json
        from runtime.marine.json_values import parse_text

        function, rest = _first_word(rest)
        if not function:
            raise LineError("call what? call FUNCTION [ARGUMENTS]")
        arguments = "[]"
        if rest and rest.split()[0] not in ("as", "with"):
            arguments, rest = _json_prefix(rest)
        module, parameters = None, self._parameters
        while rest:
            word, rest = _first_word(rest)
            if word == "as" and rest:
                module, rest = _first_word(rest)
            elif word == "with" and rest:
                text, rest = _json_prefix(rest)
                parameters = from_json(parse_text(text))
            else:
                raise LineError(
                    f"expected `as MODULE` or `with PARAMETERS`, not `{word}`; arguments are one JSON value"
                )
        result = self.service.call(function, parse_text(arguments), parameters, module=module)
        print(json.dumps(result, ensure_ascii=False))

    def _set_parameters(self, rest: str) -> None:
        from runtime.marine.call_parameters import from_json
        from runtime.marine.json_values import parse_text

        if rest:
            self._parameters = from_json(parse_text(rest))
            self._parameters_text = rest
        else:
            print(self._parameters_text)

    def _interface(self, rest: str) -> None:
        from runtime.marine.interface import aqua_text

        module = rest or self.service.facade
        print(aqua_text(self.service.interface(module), module), end="")

    def _modules(self, rest: str) -> None:
        self._no_more(rest)
        print(json.dumps([module.name for module in self.service.config.modules], ensure_ascii=False))

    def _memory(self, rest: str) -> None:
        self._no_more(rest)
        print(json.dumps(self.service.memory_stats(), ensure_ascii=False))

    def _envs(self, rest: str) -> None:
        from runtime.marine.wasi import environment

        modules = [module for module in self.service.config.modules if rest in ("", module.name)]
        if not modules:
            raise LineError(f"no module is called `{rest}`")
        print(json.dumps({module.name: environment(module) for module in modules}, ensure_ascii=False))

    def _reload(self, rest: str) -> None:
        """Start the new one first: one that does not start leaves the old one as it was."""
        self._no_more(rest)
        before, self.service = self.service, self._start()
        before.close()

    def _help(self, rest: str) -> None:
        print(HELP)

    def _no_more(self, rest: str) -> None:
        if rest:
            raise LineError(f"nothing is expected behind the command, not `{rest}`")


def _first_word(text: str) -> tuple[str, str]:
    """The word that a text starts with, and what follows."""
    word, *rest = text.split(None, 1) or [""]
    return word, "".join(rest).strip()


def _json_prefix(text: str) -> tuple[str, str]:
    """The text of the JSON value that a text starts with, and what follows. Raises LineError."""
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        raise LineError(f"this is not JSON: {text[:60]}{'…' if len(text) > 60 else ''}") from None
    if text[end : end + 1] not in ("", " ", "\t"):
        raise LineError(f"this is not JSON: {text[:60]}{'…' if len(text) > 60 else ''}")
    return text[:end], text[end:].strip()


class _Editing:
    """Editing, completion and memory of lines on a terminal; without readline, none of it."""

    def __init__(self, repl: Repl) -> None:
        from avm.private_cache import cache_folder

        self._repl = repl
        self._path = os.path.join(cache_folder(), "service_history")
        try:
            import readline
        except ImportError:
            self._readline: Any = None
            return
        self._readline = readline
        readline.set_history_length(HISTORY_LINES_MAX)
        with suppress(OSError):
            readline.read_history_file(self._path)
        readline.set_completer(self._complete)
        readline.set_completer_delims(" ")
        readline.parse_and_bind("tab: complete")

    def _complete(self, text: str, number: int) -> str | None:
        line = self._readline.get_line_buffer()[: self._readline.get_begidx()].split()
        words: list[str] = []
        if not line:
            words = [*self._repl.commands, "quit"]
        elif line == ["call"]:
            words = list(self._repl.service.interface().functions)
        elif line[-1] in ("interface", "envs", "as"):
            words = [module.name for module in self._repl.service.config.modules]
        found = [word for word in words if word.startswith(text)]
        return found[number] + " " if number < len(found) else None

    def save(self) -> None:
        """Keep the lines for the next time; only the user may read them."""
        if self._readline is None:
            return
        with suppress(OSError):
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._readline.write_history_file(self._path)
