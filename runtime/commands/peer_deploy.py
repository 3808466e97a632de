"""`avm peer deploy SERVICE`: modules, blueprint, service and alias in one go; again changes nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import CommandError

from .peer_remote import SubParsers, add_operation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runtime.operations.remote import Remote

    from .peer_remote import Work

CONFIGS: Final = ("service.toml", "Config.toml", "service.json")
"""Files that stand for the folder they are in."""


def configure(commands: SubParsers) -> None:
    """Add the command."""
    parser = add_operation(
        commands, "deploy", "put a service on a peer, or bring it up to date; for management", _deploy, scoped=True
    )
    parser.add_argument("service", nargs="+", metavar="FOLDER|CONFIG|PACKED|[NAME=]module.wasm")
    parser.add_argument("--name", help="name of the blueprint; default: as configured, else of the facade module")
    names = parser.add_mutually_exclusive_group()
    names.add_argument(
        "--alias", metavar="ALIAS", action="append", default=[], help="alias; repeatable; default: the name"
    )
    names.add_argument("--no-alias", action="store_true", help="give no alias")
    parser.add_argument(
        "--keep-old", action="store_true", help="do not remove the service that the alias is taken from"
    )


def _deploy(args: argparse.Namespace) -> Work:
    from runtime.marine.config import ConfigError
    from runtime.marine.errors import LoadError
    from runtime.marine.files import NAMES_ONLY, service_config
    from runtime.operations.deploy import deploy, plan_of

    try:
        plan = plan_of(service_config(service_paths(args.service), NAMES_ONLY), args.name)
    except (ConfigError, LoadError) as error:
        raise CommandError(str(error)) from error
    aliases = list(dict.fromkeys(args.alias)) or ([] if args.no_alias else [plan.name])
    if plan.ignored and not args.quiet:
        print(f"avm: a peer decides itself, so this has no effect: {', '.join(plan.ignored)}", file=sys.stderr)

    async def work(remote: Remote) -> Any:
        return await deploy(remote, plan, aliases, keep_old=args.keep_old)

    return work


def service_paths(given: Sequence[str]) -> list[str]:
    """What the arguments name, a folder being replaced by the service in it. Raises CommandError."""
    if len(given) != 1 or not Path(given[0]).is_dir():
        return list(given)
    folder = Path(given[0])
    for name in CONFIGS:
        if (folder / name).is_file():
            return [str(folder / name)]
    modules = sorted(folder.glob("*.wasm"))
    if len(modules) == 1:
        return [str(modules[0])]
    what = f"{len(modules)} modules" if modules else "no module"
    raise CommandError(
        f"{folder} has {what} and none of {', '.join(CONFIGS)}", hint="name the modules in load order, the facade last"
    )
