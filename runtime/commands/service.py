"""`avm service`: call, inspect, check and make services of Marine modules (WebAssembly with interface types).

A service is a CONFIG (.toml, or the .json of marine-js) or the modules themselves in load order, `[NAME=]module.wasm`; the last
one is called. Results go to stdout as JSON, messages of the modules to stderr.
Errors: exit 2 for files and configurations, 1 for findings of `check`, `embed` and `build`, 3 for a call that failed, 4 for one out of time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from aquac.command_line import CommandError, Parser, add_common_flags

if TYPE_CHECKING:
    import argparse

HELP: Final = "call, inspect and check services made of Wasm modules"

GROUPS: Final = (
    "service_call", "service_inspect", "service_embed", "service_build", "service_new", "service_pack", "service_repl",
)  # fmt: skip
"""Files with sub-commands. Each has `configure(commands)`, which gives every parser a `handler(args) -> int`."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    parser.description = __doc__
    commands = parser.add_subparsers(dest="service_command", metavar="COMMAND", required=True, parser_class=Parser)
    for group in GROUPS:
        import_module(f"runtime.commands.{group}").configure(commands)
    for command in commands.choices.values():
        add_common_flags(command, top=False)


def run(args: argparse.Namespace) -> int:
    """Hand over to the sub-command."""
    from runtime.marine.config import ConfigError
    from runtime.marine.errors import LoadError

    try:
        code: int = args.handler(args)
    except LoadError as error:
        raise CommandError(f"module {error.module}: {error}" if error.module else str(error)) from error
    except ConfigError as error:
        raise CommandError(str(error)) from error
    return code
