"""`avm peer init [DIR]`: a commented configuration with the defaults, and a key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aquac.command_line import OK, CommandError, add_common_flags

if TYPE_CHECKING:
    import argparse

CONFIG_FILE: Final = "peer.toml"
KEY_FILE: Final = "peer.key"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("place", metavar="DIR", nargs="?", default=".", help="where to put them; default: here")
    add_common_flags(parser, top=False)


def run(args: argparse.Namespace) -> int:
    """Write peer.toml, with every setting and its default, and peer.key. Files that are there are not replaced."""
    from runtime.keys import load_or_create_secret
    from runtime.protocol.identity import Identity
    from runtime.settings_text import config_text
    from runtime.store.files import create_file

    folder = Path(args.place)
    config, key = folder / CONFIG_FILE, folder / KEY_FILE
    if config.exists():
        raise CommandError(f"{config} exists and is not replaced", hint="delete it, or name another directory")
    was_there = key.exists()
    identity = Identity(load_or_create_secret(key, lambda: os.urandom(32)))
    try:
        create_file(config, config_text(key=KEY_FILE, data_dir="data").encode(), 0o644)
    except FileExistsError:
        raise CommandError(
            f"{config} exists and is not replaced", hint="delete it, or name another directory"
        ) from None
    except OSError as error:
        raise CommandError(f"cannot write {config}: {error.strerror}") from error
    print(json.dumps({"peer_id": identity.peer_id, "config": str(config), "key": str(key), "new_key": not was_there}))
    return OK
