"""The `avm` command: finds the sub-command and hands over to its module.

Each module of `runtime.commands` exports `HELP`, `configure(parser)` and `run(args) -> int`; only the chosen one is
loaded, so that `avm parse` does not pay for a network. The help of the others is in the table here; a test compares.
Errors: exit codes and messages as `aquac.command_line` has them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from aquac.command_line import Parser, add_common_flags, enter_directory, run_main

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final[dict[str, str]] = {
    "run": "run a function of an Aqua program, on a network of its own or through a relay",
    "peer": "run a peer that others reach over tcp and websockets, and manage peers that run",
    "service": "call, inspect and check services made of Wasm modules",
    "sim": "simulate whole networks under virtual time, from a seed",
    "key": "make, show, list and import secret keys",
    "invoke": "run the interpreter as a function: JSON lines in, JSON lines out",
    "replay": "run recorded invocations again and show the first that answers differently",
    "stats": "run invocations and print what the interpreter's caches did",
    "exec": "run the interpreter once, on files",
    "parse": "print the tree of an AIR script as JSON, or its errors",
    "beautify": "pretty-print an AIR script",
    "disasm": "print the flat program the virtual machine runs",
    "data": "print what interpreter data hold",
}


def build_parser(argv: Sequence[str]) -> Parser:
    """The parser, with flags for the command that `argv` names and mere names for the others."""
    parser = Parser(prog="avm", description="Run, inspect and serve AquaVM programs.")
    add_common_flags(parser, top=True)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    chosen = {word for word in argv if word in COMMANDS}
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name in chosen:
            import_module(f"runtime.commands.{name}").configure(command)
        add_common_flags(command, top=False)
    return parser


def body(argv: Sequence[str]) -> int:
    """Parse the arguments and run the command."""
    args = build_parser(argv).parse_args(argv)
    enter_directory(args)
    code: int = import_module(f"runtime.commands.{args.command}").run(args)
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the `avm` script; the exit code."""
    return run_main("avm", body, argv)


if __name__ == "__main__":
    raise SystemExit(main())
