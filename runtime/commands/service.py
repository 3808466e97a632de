"""`avm service`: call, inspect and check services made of Marine modules (WebAssembly with interface types).

A service is a CONFIG (.toml, or the .json of marine-js) or the modules themselves in load order, `[NAME=]module.wasm`; the last
one is called. Results go to stdout as JSON, messages of the modules to stderr.
Errors: exit 2 for files and configurations, 1 for findings of `check`, 3 for a call that failed, 4 for one out of time.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import (
    DIAGNOSTICS,
    OK,
    TIMED_OUT,
    WORKFLOW_ERROR,
    CommandError,
    Parser,
    add_common_flags,
    read_text,
)  # fmt: skip

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from runtime.marine.config import ServiceConfig
    from runtime.marine.host import LogRecord

HELP: Final = "call, inspect and check services made of Wasm modules"

_PLACE: Final = "CONFIG|[NAME=]module.wasm"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    parser.description = __doc__
    commands = parser.add_subparsers(dest="service_command", metavar="COMMAND", required=True, parser_class=Parser)
    call = commands.add_parser("call", help="call a function and print its result")
    call.add_argument("service", nargs="+", metavar=_PLACE)
    call.add_argument("-f", "--function", required=True, metavar="FN")
    call.add_argument("--args", default="[]", metavar="JSON", help="an array, or an object by names; default []")
    call.add_argument("--module", metavar="NAME", help="call this module instead of the facade")
    call.add_argument("--call-parameters", metavar="JSON", help="what the modules are told about their caller")
    call.add_argument("--repeat", type=int, default=1, metavar="N", help="call N times in one instance, print the last")
    _add_permissions(call)
    rows = commands.add_parser("run", help="answer rows of JSON, one a line")
    rows.add_argument("--jsonl", action="store_true", help="rows as JSON lines (the only form)")
    rows.add_argument("rows", nargs="?", default="-", metavar="FILE", help="rows; - for standard input (default)")
    rows.add_argument("--root", metavar="DIR", help="where module files are; default: beside FILE, else here")
    rows.add_argument("--engine", choices=("translated", "interpreted"), default="translated", help="how adapters run")
    info = commands.add_parser("info", help="print versions, manifest, imports and interface of modules")
    info.add_argument("service", nargs="+", metavar=_PLACE)
    aqua = commands.add_parser("aqua", help="print the Aqua declaration of the facade")
    aqua.add_argument("service", nargs="+", metavar=_PLACE)
    aqua.add_argument("--name", help="name of the service; default: of the module")
    check = commands.add_parser(
        "check", help="tell whether modules would load and fit each other, without running them"
    )
    check.add_argument("service", nargs="+", metavar=_PLACE)
    check.add_argument("--message-format", choices=("human", "json"), default="human")
    _add_permissions(check)
    for command in commands.choices.values():
        add_common_flags(command, top=False)


def _add_permissions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("permissions of modules named directly")
    group.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    group.add_argument("--dir", action="append", default=[], metavar="GUEST=HOST", help="open a folder; repeatable")
    group.add_argument("--mount", action="append", default=[], metavar="NAME=PROGRAM", help="repeatable")
    group.add_argument("--memory-limit", metavar="SIZE", help='of all modules together, such as "64 MiB"')
    group.add_argument("--timeout", metavar="TIME", help="for the call, and for the start of a module")


def run(args: argparse.Namespace) -> int:
    """Dispatch to the sub-command."""
    from runtime.marine.config import ConfigError
    from runtime.marine.errors import LoadError

    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "call": _call, "run": _run, "info": _info, "aqua": _aqua, "check": _check
    }  # fmt: skip
    try:
        return commands[args.service_command](args)
    except (ConfigError, LoadError) as error:
        raise CommandError(str(error)) from error


# ── services ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pairs(flag: str, texts: list[str]) -> dict[str, str]:
    out = {}
    for text in texts:
        name, found, value = text.partition("=")
        if not found or not name:
            raise CommandError(f"{flag} {text}: expected NAME=VALUE")
        out[name] = value
    return out


def _config(args: argparse.Namespace) -> ServiceConfig:
    from runtime.commands.run import parse_time_ms
    from runtime.marine.config import parse_size
    from runtime.marine.files import Permissions, service_config

    if not hasattr(args, "env"):
        return service_config(args.service)
    permissions = Permissions(
        _pairs("--env", args.env),
        {guest: Path(host) for guest, host in _pairs("--dir", args.dir).items()},
        _pairs("--mount", args.mount),
    )
    config = service_config(args.service, permissions)
    if args.memory_limit is not None:
        config = replace(config, memory_limit=parse_size(args.memory_limit, "--memory-limit"))
    if args.timeout is not None:
        timeout_ms = parse_time_ms("--timeout", args.timeout)
        if timeout_ms <= 0:
            raise CommandError(f"--timeout {args.timeout}: expected a time above 0")
        config = replace(config, timeout_ms=timeout_ms)
    return config


def _logger(args: argparse.Namespace) -> Callable[[LogRecord], None]:
    def log(record: LogRecord) -> None:
        if not args.quiet:
            print(f"[{record.level}] {record.module}: {record.message}", file=sys.stderr)

    return log


# ── sub-commands ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _call(args: argparse.Namespace) -> int:
    from runtime.marine.call_parameters import NO_PARAMETERS, from_json
    from runtime.marine.errors import CallError, ErrorClass
    from runtime.marine.host import Service
    from runtime.marine.json_values import parse_text

    if args.repeat < 1:
        raise CommandError(f"--repeat {args.repeat}: expected a number above 0")
    try:
        parameters = NO_PARAMETERS
        if args.call_parameters is not None:
            parameters = from_json(parse_text(args.call_parameters))
        values = parse_text(args.args)
    except CallError as error:
        flag = "--args" if args.call_parameters is None else "--args or --call-parameters"
        raise CommandError(f"{flag}: {error}") from error
    with Service(_config(args), log=_logger(args)) as service:
        result = None
        try:
            for _ in range(args.repeat):
                result = service.call(args.function, values, parameters, module=args.module)
        except CallError as error:
            codes = {ErrorClass.DEADLINE: TIMED_OUT, ErrorClass.NO_FUNCTION: 2, ErrorClass.NO_MODULE: 2}
            hint = ""
            if error.error_class is ErrorClass.NO_FUNCTION and args.module is None:
                hint = "functions: " + ", ".join(sorted(service.interface().functions))
            raise CommandError(str(error), codes.get(error.error_class, WORKFLOW_ERROR), hint=hint) from error
    print(json.dumps(result, ensure_ascii=False, indent=2))
    return OK


def _run(args: argparse.Namespace) -> int:
    from runtime.marine.rows import RowRunner, reference_folders

    root = Path(args.root) if args.root else Path() if args.rows == "-" else Path(args.rows).parent
    runner = RowRunner(root, reference_folders(), translate=args.engine == "translated")
    lines = sys.stdin if args.rows == "-" else read_text(args.rows, what="rows").splitlines()
    for line in lines:
        if line.strip():
            print(json.dumps(runner.answer(line), ensure_ascii=False), flush=True)
    return OK


def _info(args: argparse.Namespace) -> int:
    from runtime.marine.blueprint import Blueprint
    from runtime.marine.files import read_module

    config = _config(args)
    modules = [_module_info(module.name, read_module(module)) for module in config.modules]
    blueprint = Blueprint(config.facade.name, tuple(module["cid"] for module in modules))
    document = {"facade": config.facade.name, "blueprint": blueprint.to_json(), "modules": modules}
    print(json.dumps(document, ensure_ascii=False, indent=2))
    return OK


def _module_info(name: str, wasm: bytes) -> dict[str, Any]:
    import dataclasses
    import hashlib

    from runtime.marine.artifact import HOST_NAMESPACES, load_artifact
    from runtime.marine.artifact import mounted_names as mounted
    from runtime.marine.cids import file_cid
    from runtime.marine.interface import interface_json
    from runtime.marine.wasm_sections import SectionError, manifest

    artifact = load_artifact(name, wasm)
    try:
        found = manifest(wasm)
        described: Any = None if found is None else dataclasses.asdict(found)
    except SectionError as error:
        described = {"error": str(error)}
    imports: dict[str, list[str]] = {}
    for item in artifact.compiled.imports:
        imports.setdefault(item.module, []).append(item.name or "")
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

    facade = _config(args).facade
    _, tables = read_tables(facade.name, read_module(facade))
    try:
        check_records(tables)
    except InterfaceError as error:
        raise CommandError(f"{facade.name}: {error}") from error
    sys.stdout.write(aqua_text(interpret(tables), args.name or facade.name))
    return OK


def _check(args: argparse.Namespace) -> int:
    from runtime.marine.check import check_service

    findings = check_service(_config(args))
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
