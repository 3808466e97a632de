"""`avm service pack`: a service in one file, the same bytes wherever it is made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aquac.command_line import DIAGNOSTICS, OK, CommandError

from .service_shared import PLACE, add_permissions, config_of, require_files, write_output

if TYPE_CHECKING:
    import argparse

    from .service_shared import SubParsers


def configure(commands: SubParsers) -> None:
    """Add the sub-command."""
    pack = commands.add_parser("pack", help="put modules, configuration and blueprint into one .tar or .zip file")
    pack.description = (
        "Put a service into one file that other commands take in its place. Of folders and programs it holds the names; who uses "
        "it says what they are, with --dir and --mount."
    )
    pack.add_argument("service", nargs="+", metavar=PLACE)
    pack.add_argument("-o", "--output", required=True, metavar="FILE.tar|FILE.zip")
    pack.add_argument("--name", help="name of the blueprint; default: of the facade")
    add_permissions(pack)
    pack.set_defaults(handler=_pack)


def _pack(args: argparse.Namespace) -> int:
    from runtime.marine.check import check_service
    from runtime.marine.files import read_module
    from runtime.marine.packed import SUFFIXES, pack, unpack

    suffix = next((suffix for suffix in SUFFIXES if args.output.endswith(suffix)), None)
    if suffix is None:
        raise CommandError(f"-o {args.output}: expected a name that ends in {' or '.join(SUFFIXES)}")
    config = config_of(args, runs=False)
    require_files(config)
    findings = check_service(config)
    for finding in findings:
        print(f"{finding.severity}: {finding.module}: {finding.message}", file=sys.stderr)
    if any(finding.severity == "error" for finding in findings):
        raise CommandError("the service would not load; nothing is packed", DIAGNOSTICS)
    data = pack(config, [read_module(one) for one in config.modules], form=suffix[1:], name=args.name)
    _, blueprint = unpack(data)  # what cannot be read back, such as a service above the limits, is told here
    write_output(args.output, data)
    print(blueprint.id)
    return OK
