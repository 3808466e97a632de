"""Settings of `avm peer run`: a TOML file, the environment, flags; later wins.

    # peer.toml
    listen = ["/ip4/0.0.0.0/tcp/7771", "/ip4/0.0.0.0/tcp/9991/ws"]
    key = "peer.key"                     # a seed, or a file holding one; relative to this file
    bootstrap = ["/ip4/…/tcp/7771/p2p/12D3KooW…"]
    external_addresses = ["/ip4/203.0.113.5/tcp/9991/ws"]
    management_peer_ids = ["12D3KooW…"]
    data_dir = "data"                    # key, modules and services; relative to this file
    http = "127.0.0.1:8080"
    network = "dar"                      # or stage, kras, or the hex of a 32-byte network id
    allow_local_addresses = false
    service_memory_limit = "4 GiB"       # of all modules of one service
    [effectors.curl]                     # a module, by content id, that may run programs of this machine
    wasm_cid = "bafkrei…"
    allowed_binaries = { curl = "/usr/bin/curl" }

The environment has the same keys as `AVM_PEER_<KEY>`, lists separated by commas. An unknown key is refused with its place.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import CommandError, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT_PREFIX: Final = "AVM_PEER_"
DEFAULT_LISTEN: Final = ("/ip4/127.0.0.1/tcp/7771", "/ip4/127.0.0.1/tcp/9991/ws")


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """What `avm peer run` needs to know; addresses are multiaddrs, `http` is `HOST:PORT`, `effectors` as in the file."""

    listen: tuple[str, ...] = DEFAULT_LISTEN
    key: str | None = None
    bootstrap: tuple[str, ...] = ()
    external_addresses: tuple[str, ...] = ()
    management_peer_ids: tuple[str, ...] = ()
    data_dir: str | None = None
    http: str | None = None
    network: str = "dar"
    allow_local_addresses: bool = False
    service_memory_limit: str | None = None
    effectors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_KINDS: Final[dict[str, type]] = {
    "listen": list,
    "bootstrap": list,
    "external_addresses": list,
    "management_peer_ids": list,
    "allow_local_addresses": bool,
    "key": str,
    "data_dir": str,
    "http": str,
    "network": str,
    "service_memory_limit": str,
    "effectors": dict,
}
assert _KINDS.keys() == {f.name for f in fields(PeerSettings)}


def load_settings(config: str | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> PeerSettings:
    """Merge file, environment and flags. Flags that are None or empty were not given. Raises CommandError (exit 2)."""
    values: dict[str, Any] = {}
    if config is not None:
        values |= _from_file(config)
    values |= _from_environment(environment)
    values |= {name: value for name, value in flags.items() if value not in (None, [], False)}
    arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return PeerSettings(**arguments)


def split_http(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises CommandError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise CommandError(f"`{text}` is not an address HOST:PORT such as 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def _from_file(path: str) -> dict[str, Any]:
    try:
        table = tomllib.loads(read_bytes(path, what="configuration").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{path}: {error}") from error
    values = {name: _checked(f"{path}: key `{name}`", name, value) for name, value in table.items()}
    base = Path(path).parent
    if isinstance(values.get("data_dir"), str):
        values["data_dir"] = str(base / values["data_dir"])
    key = values.get("key")
    if isinstance(key, str) and (base / key).is_file():
        values["key"] = str(base / key)
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        kind = _KINDS.get(name)
        if kind is list:
            value: Any = [part.strip() for part in text.split(",") if part.strip()]
        elif kind is bool and text.lower() in ("true", "false", "1", "0"):
            value = text.lower() in ("true", "1")
        else:
            value = text
        values[name] = _checked(f"environment variable {variable}", name, value)
    return values


def _checked(place: str, name: str, value: Any) -> Any:
    kind = _KINDS.get(name)
    if kind is None:
        raise CommandError(f"{place} is not a setting of a peer", hint=f"the settings are {', '.join(_KINDS)}")
    if kind is list:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise CommandError(f"{place} takes a list of texts")
    elif not isinstance(value, kind):
        what = {bool: "true or false", dict: "tables, and is set in the configuration file"}.get(kind, "a text")
        raise CommandError(f"{place} takes {what}")
    elif isinstance(value, dict):
        for effector, table in value.items():
            _check_effector(f"{place}: {effector}", table)
    return value


def _check_effector(place: str, table: Any) -> None:
    if not isinstance(table, dict) or table.keys() != {"wasm_cid", "allowed_binaries"}:
        raise CommandError(f"{place} takes a table with wasm_cid and allowed_binaries")
    binaries = table["allowed_binaries"]
    texts = [table["wasm_cid"], *(binaries.values() if isinstance(binaries, dict) else [None])]
    if not all(isinstance(text, str) for text in texts):
        raise CommandError(f"{place} takes a text as wasm_cid and a table of texts as allowed_binaries")
