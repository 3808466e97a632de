"""`avm key`: make, show, list and import secret keys.

Prints `{"peer_id", "secret_key", "public_key"}`, both keys in base64. Nothing is written unless a NAME or `-o` is given.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aquac.command_line import OK, CommandError, Parser, add_common_flags

if TYPE_CHECKING:
    import argparse

HELP: Final = "make, show, list and import secret keys"

SEED_BYTES: Final = 32


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    commands = parser.add_subparsers(dest="key_command", metavar="COMMAND", required=True, parser_class=Parser)
    new = commands.add_parser("new", help="make a key and print it")
    new.add_argument("name", nargs="?", metavar="NAME", help="save it under this name")
    new.add_argument("-o", "--output", metavar="FILE", help="write it to this file, which must not exist")
    show = commands.add_parser("show", help="print a key")
    show.add_argument("key", metavar="KEY|FILE|NAME", help="`-` reads standard input")
    commands.add_parser("list", help="list saved keys, without their secrets")
    import_ = commands.add_parser("import", help="save a key under a name")
    import_.add_argument("name", metavar="NAME")
    import_.add_argument("key", metavar="KEY|FILE", help="`-` reads standard input")
    for command in commands.choices.values():
        command.add_argument(
            "--key-dir",
            metavar="DIR",
            help="where named keys are (default: $AVM_KEY_DIR, else the user's data directory)",
        )
        add_common_flags(command, top=False)


def run(args: argparse.Namespace) -> int:
    """Dispatch to the sub-command."""
    return {"new": _new, "show": _show, "list": _list, "import": _import}[args.key_command](args)


def _print(value: object) -> int:
    print(json.dumps(value, indent=2))
    return OK


def _new(args: argparse.Namespace) -> int:
    from runtime.key_store import document, key_directory, save, write_secret
    from runtime.protocol.identity import Identity

    identity = Identity(os.urandom(SEED_BYTES))
    if args.output is not None:
        write_secret(Path(args.output), json.dumps(document(identity)) + "\n")
    if args.name is not None:
        save(key_directory(args.key_dir), args.name, identity)
    return _print(document(identity))


def _seed(text: str, args: argparse.Namespace) -> bytes:
    from runtime.key_store import key_directory, load_named_secret
    from runtime.keys import FILE_BYTES_MAX, FORMS, parse_secret

    if text != "-":
        return load_named_secret(text, key_directory(args.key_dir))
    seed = parse_secret(sys.stdin.read(FILE_BYTES_MAX))
    if seed is None:
        raise CommandError("standard input holds no secret key", hint=f"a key is {FORMS}")
    return seed


def _show(args: argparse.Namespace) -> int:
    from runtime.key_store import document
    from runtime.protocol.identity import Identity

    return _print(document(Identity(_seed(args.key, args))))


def _list(args: argparse.Namespace) -> int:
    from runtime.key_store import document, key_directory
    from runtime.keys import load_secret
    from runtime.protocol.identity import Identity

    directory = key_directory(args.key_dir)
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        files = []
    except OSError as error:
        raise CommandError(f"cannot read the key directory {directory}: {error.strerror}") from error
    return _print([{"name": file.stem} | document(Identity(load_secret(str(file))), secret=False) for file in files])


def _import(args: argparse.Namespace) -> int:
    from runtime.key_store import document, key_directory, save
    from runtime.protocol.identity import Identity

    identity = Identity(_seed(args.key, args))
    save(key_directory(args.key_dir), args.name, identity)
    return _print({"name": args.name} | document(identity, secret=False))
