"""What sub-commands of `avm service` share: how a service is named on the command line, and where its messages go."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import CommandError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from runtime.marine.config import ServiceConfig
    from runtime.marine.host import LogRecord

SubParsers = Any
"""What `add_subparsers` gives; argparse keeps the class to itself."""

PLACE: Final = "CONFIG|PACKED|[NAME=]module.wasm"


def add_permissions(parser: argparse.ArgumentParser) -> None:
    """Flags that say what modules named directly, or within a packed service, may use."""
    group = parser.add_argument_group("permissions of modules named directly and of packed services")
    group.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    group.add_argument("--dir", action="append", default=[], metavar="GUEST=HOST", help="open a folder; repeatable")
    group.add_argument("--mount", action="append", default=[], metavar="NAME=PROGRAM", help="repeatable")
    group.add_argument("--memory-limit", metavar="SIZE", help='of all modules together, such as "64 MiB"')
    group.add_argument("--timeout", metavar="TIME", help="for the call, and for the start of a module")


def pairs(flag: str, texts: list[str]) -> dict[str, str]:
    """The `NAME=VALUE` texts of a repeatable flag. Raises CommandError."""
    out = {}
    for text in texts:
        name, found, value = text.partition("=")
        if not found or not name:
            raise CommandError(f"{flag} {text}: expected NAME=VALUE")
        out[name] = value
    return out


def config_of(args: argparse.Namespace, *, runs: bool = True) -> ServiceConfig:
    """The service that the arguments name. Raises ConfigError and CommandError.

    runs: whether it will run, so that everything a packed service asks for must be allowed.
    """
    from runtime.commands.run import parse_time_ms
    from runtime.marine.config import parse_size
    from runtime.marine.files import NAMES_ONLY, Permissions, service_config

    if not hasattr(args, "env"):
        return service_config(args.service, NAMES_ONLY)
    permissions = Permissions(
        pairs("--env", args.env),
        {guest: Path(host) for guest, host in pairs("--dir", args.dir).items()},
        {name: _program(text) for name, text in pairs("--mount", args.mount).items()},
        names_only=not runs,
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


def require_files(config: ServiceConfig) -> None:
    """A file that is not there is no finding about a module. Raises CommandError."""
    for module in config.modules:
        if module.wasm is None and module.path is not None:
            try:
                module.path.stat()
            except (OSError, ValueError) as error:  # ValueError: a name with a NUL character
                reason = getattr(error, "strerror", None) or error
                raise CommandError(f"cannot read {module.path}: {reason}") from None


def _program(text: str) -> str:
    """A program, by its name, or by its path from here: it runs in a folder of its own."""
    return os.path.abspath(text) if os.path.dirname(text) else text


def logger_of(args: argparse.Namespace) -> Callable[[LogRecord], None]:
    """Prints messages of modules on standard error, unless `-q` is given."""

    def log(record: LogRecord) -> None:
        if not args.quiet:
            print(f"[{record.level}] {record.module}: {record.message}", file=sys.stderr)

    return log


def write_output(path: str, data: bytes) -> None:
    """Write a file whole or not at all, or standard output for `-`. Raises CommandError."""
    if path == "-":
        if sys.stdout.isatty():
            raise CommandError("bytes are not printed on a terminal", hint="name a file: -o FILE")
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    place = Path(path)
    try:
        if place.exists() and not place.is_file():  # a pipe or a device is written to, not replaced
            place.write_bytes(data)
            return
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from error
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        os.replace(beside, place)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from error
