"""`avm service info`, `aqua` and `check`: what module files say, without running them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from aquac.command_line import DIAGNOSTICS, OK, CommandError

from .service_shared import PLACE, SubParsers, add_permissions, config_of, require_files

if TYPE_CHECKING:
    import argparse


def configure(commands: SubParsers) -> None:
    """Add the sub-commands."""
    info = commands.add_parser("info", help="print versions, manifest, imports and interface of modules")
    info.add_argument("service", nargs="+", metavar=PLACE)
    info.set_defaults(handler=_info)
    aqua = commands.add_parser("aqua", help="print the Aqua declaration of the facade")
    aqua.add_argument("service", nargs="+", metavar=PLACE)
    aqua.add_argument("--name", help="name of the service; default: of the module")
    aqua.set_defaults(handler=_aqua)
    check = commands.add_parser(
        "check", help="tell whether modules would load and fit each other, without running them"
    )
    check.add_argument("service", nargs="+", metavar=PLACE)
    check.add_argument("--message-format", choices=("human", "json"), default="human")
    add_permissions(check)
    check.set_defaults(handler=_check)


def _info(args: argparse.Namespace) -> int:
    from runtime.marine.blueprint import Blueprint
    from runtime.marine.files import read_module

    config = config_of(args)
    modules = [_module_info(module.name, read_module(module)) for module in config.modules]
    blueprint = Blueprint(config.name or config.facade.name, tuple(module["cid"] for module in modules))
    document = {"facade": config.facade.name, "blueprint": blueprint.to_json(), "modules": modules}
    print(json.dumps(document, ensure_ascii=False, indent=2))
    return OK


def _module_info(name: str, wasm: bytes) -> dict[str, Any]:
    import dataclasses
    import hashlib

    from runtime.marine.artifact import HOST_NAMESPACES, load_artifact
    from runtime.marine.artifact import mounted_names as mounted
    from runtime.marine.cids import file_cid
    from runtime.marine.errors import LoadError
    from runtime.marine.interface import interface_json
    from runtime.marine.wasm_sections import SectionError, manifest

    try:
        artifact = load_artifact(name, wasm)
    except LoadError as error:
        raise LoadError(str(error), name) from error
    try:
        found = manifest(wasm)
        described: Any = None if found is None else dataclasses.asdict(found)
    except SectionError as error:
        described = {"error": str(error)}
    imports: dict[str, list[str]] = {}
    for item in artifact.core.imports:
        imports.setdefault(item.module, []).append(item.name)
    return {
        "name": name,
        "size": len(wasm),
        "cid": file_cid(wasm),
        "sha256": hashlib.sha256(wasm).hexdigest(),
        "sdk_version": str(artifact.sdk),
        "it_version": str(artifact.interface.tables.version),
        "manifest": described,
        "kind": "effector" if mounted(artifact) else "pure",
        "host_api": next((space for space in imports if space in HOST_NAMESPACES), None),
        "mounted_binaries": mounted(artifact),
        "imports": imports,
        "interface": interface_json(artifact.interface),
    }


def _aqua(args: argparse.Namespace) -> int:
    from runtime.marine.artifact import read_tables
    from runtime.marine.files import read_module
    from runtime.marine.interface import aqua_text, check_records, interpret
    from runtime.marine.interface_types import InterfaceError

    facade = config_of(args).facade
    _, tables = read_tables(facade.name, read_module(facade))
    try:
        check_records(tables)
    except InterfaceError as error:
        raise CommandError(f"{facade.name}: {error}") from error
    sys.stdout.write(aqua_text(interpret(tables), args.name or facade.name))
    return OK


def _check(args: argparse.Namespace) -> int:
    from runtime.marine.check import check_service

    config = config_of(args, runs=False)
    require_files(config)
    findings = check_service(config, here=True)
    failed = any(finding.severity == "error" for finding in findings)
    if args.message_format == "json":
        document = {"ok": not failed, "findings": [finding._asdict() for finding in findings]}
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            print(f"{finding.severity}: {finding.module}: {finding.message}", file=sys.stderr)
        if not failed and not args.quiet:
            print(f"{len(findings)} warnings" if findings else "all modules fit", file=sys.stderr)
    return DIAGNOSTICS if failed else OK
