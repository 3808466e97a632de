"""Settings of `avm peer run`: a TOML file, the environment, flags; later wins.

    # peer.toml
    listen = ["/ip4/0.0.0.0/tcp/7771", "/ip4/0.0.0.0/tcp/9991/ws"]
    key = "peer.key"                     # a seed, or a file holding one; relative to this file
    bootstrap = ["/ip4/…/tcp/7771/p2p/12D3KooW…"]
    external_addresses = ["/ip4/203.0.113.5/tcp/9991/ws"]
    management_peer_ids = ["12D3KooW…"]
    data_dir = "data"                    # key, services, workers, spells, particles; relative to this file
    http = "127.0.0.1:8080"
    network = "dar"                      # or stage, kras, or the hex of a 32-byte network id
    allow_local_addresses = false
    log_format = "text"                  # or json
    log_level = "warning"                # or debug, info, error
    opentelemetry = false
    service_memory_limit = "4 GiB"       # of all modules of one service
    [limits]                             # fields of CoreLimits and AvmLimits
    actors_max = 10000
    stored_bytes_max = "512 MiB"
    [dev_mode]                           # every module may run these programs; for development only
    enable = true
    binaries = { curl = "/usr/bin/curl" }
    [effectors.curl]                     # a module, by content id, that may run programs of this machine
    wasm_cid = "bafkrei…"
    allowed_binaries = { curl = "/usr/bin/curl" }

The environment has the same keys as `AVM_PEER_<KEY>`, lists separated by commas; tables are set in the file only. An unknown key is
refused with its place and the nearest one. `docs/peer.md` has all of them.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import CommandError, read_bytes
from runtime.core.limits import AvmLimits, CoreLimits
from runtime.keys import is_path
from runtime.logs import DEFAULT_FORMAT, DEFAULT_LEVEL, FORMATS, LEVELS
from runtime.protocol.identity import is_peer_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

ENVIRONMENT_PREFIX: Final = "AVM_PEER_"
LIMIT_MAX: Final = 1 << 48
"""Largest number that a limit may be set to."""

ADDRESS_CHARS_MAX: Final = 512
"""How much of an address is looked at; a DNS name has 253 characters."""

NETWORKS: Final = ("dar", "stage", "kras")
"""Those that have names."""

_FLAGS: Final = {"external_addresses": "external-address", "management_peer_ids": "management"}
"""Flags that are called otherwise than their settings."""

_DEV_MODE: Final = ("enable", "binaries")

DEFAULT_LISTEN: Final = ("/ip4/127.0.0.1/tcp/7771", "/ip4/127.0.0.1/tcp/9991/ws")


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """What `avm peer run` needs to know; addresses are multiaddrs, `http` is `HOST:PORT`, `effectors` as in the file.

    limits: by name, numbers and booleans; those that are absent have their defaults.
    """

    listen: tuple[str, ...] = DEFAULT_LISTEN
    key: str | None = None
    bootstrap: tuple[str, ...] = ()
    external_addresses: tuple[str, ...] = ()
    management_peer_ids: tuple[str, ...] = ()
    data_dir: str | None = None
    http: str | None = None
    network: str = "dar"
    allow_local_addresses: bool = False
    log_format: str = DEFAULT_FORMAT
    log_level: str = DEFAULT_LEVEL
    opentelemetry: bool = False
    service_memory_limit: str | None = None
    effectors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dev_mode: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)

    def open_binaries(self) -> Mapping[str, str] | None:
        """Programs that every module may run, by name; None when only those of `effectors` may."""
        return self.dev_mode.get("binaries", {}) if self.dev_mode.get("enable") else None

    def core_limits(self) -> CoreLimits:
        """The bounds of the peer's state."""
        given = {f.name: self.limits[f.name] for f in fields(CoreLimits) if f.name in self.limits}
        limits = CoreLimits(**given)
        return replace(limits, life_ms_max=None) if limits.life_ms_max == 0 else limits

    def avm_limits(self) -> AvmLimits:
        """The sizes handed to the interpreter."""
        given = {f.name: self.limits[f.name] for f in fields(AvmLimits) if f.name in self.limits}
        return AvmLimits(**given)  # type: ignore[arg-type]  # booleans are checked where they are read


_KINDS: Final[dict[str, type]] = {
    "listen": list,
    "bootstrap": list,
    "external_addresses": list,
    "management_peer_ids": list,
    "allow_local_addresses": bool,
    "opentelemetry": bool,
    "key": str,
    "data_dir": str,
    "http": str,
    "network": str,
    "log_format": str,
    "log_level": str,
    "service_memory_limit": str,
    "effectors": dict,
    "dev_mode": dict,
    "limits": dict,
}
assert _KINDS.keys() == {f.name for f in fields(PeerSettings)}

LIMIT_DEFAULTS: Final[dict[str, Any]] = {**asdict(CoreLimits()), **asdict(AvmLimits())}


def load_settings(config: str | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> PeerSettings:
    """Merge file, environment and flags. Flags that are None or empty lists were not given. Raises CommandError (exit 2)."""
    values: dict[str, Any] = {}
    if config is not None:
        values |= _from_file(config)
    values |= _from_environment(environment)
    values |= {
        name: _checked(f"flag {_flag(name)}", name, value)
        for name, value in flags.items()
        if value is not None and value != []
    }
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
        text = read_bytes(path, what="configuration").decode("utf-8-sig")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{path}: {error}") from error

    def place(name: str) -> str:
        found = re.search(rf"""^[ \t]*(\[+[ \t]*)?["']?{re.escape(name)}\b""", text, re.MULTILINE)
        line = f":{text.count(chr(10), 0, found.end()) + 1}" if found else ""
        return f"{path}{line}: key `{name}`"

    values = {name: _checked(place(name), name, value, place) for name, value in table.items()}
    base = Path(path).parent
    if isinstance(values.get("data_dir"), str):
        values["data_dir"] = str(base / values["data_dir"])
    key = values.get("key")
    if isinstance(key, str) and ((base / key).is_file() or is_path(key)):
        values["key"] = str(
            base / key
        )  # also where there is none: the key of another peer may lie in the working directory
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


def _unknown(place: str, name: str, known: Collection[str], what: str) -> CommandError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
    return CommandError(f"{place} is not a {what} of a peer", hint=hint)


def _checked(place: str, name: str, value: Any, place_of: Callable[[str], str] = str) -> Any:
    """A value that is right. place_of: where a key inside of it is. Raises CommandError."""
    kind = _KINDS.get(name)
    if kind is None:
        raise _unknown(place, name, _KINDS, "setting")
    if kind is list:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise CommandError(f"{place} takes a list of texts")
    elif not isinstance(value, kind):
        what = {bool: "true or false", dict: "tables, and is set in the configuration file"}.get(kind, "a text")
        raise CommandError(f"{place} takes {what}")
    if name in _CONTENTS:
        for item in value if isinstance(value, list) else (value,):
            _CONTENTS[name](place, item)
    elif isinstance(value, dict) and name == "limits":
        return {limit: _checked_limit(place_of(limit), limit, number) for limit, number in value.items()}
    elif isinstance(value, dict) and name == "dev_mode":
        for key, item in value.items():
            _check_dev_mode(place_of(key), key, item)
    elif isinstance(value, dict):
        for effector, table in value.items():
            _check_effector(f"{place}: {effector}", table)
    return value


def _check_choice(*choices: str) -> Callable[[str, str], None]:
    def check(place: str, text: str) -> None:
        if text not in choices:
            raise CommandError(f"{place} takes {' or '.join(choices)}, not `{text[:80]}`")

    return check


def _check_address(place: str, text: str) -> None:
    if not text.startswith("/"):
        raise CommandError(f"{place}: `{text[:200]}` is not a multiaddress such as /ip4/127.0.0.1/tcp/7771")


def _check_dialled(place: str, text: str) -> None:
    """An address that others dial, or that is dialled itself."""
    from runtime.protocol.addresses import parse_address

    try:
        parse_address(text[:ADDRESS_CHARS_MAX])
    except ValueError as error:
        raise CommandError(f"{place}: {error}") from None


def _check_bootstrap(place: str, text: str) -> None:
    head, _, peer_id = text.rpartition("/p2p/")
    if not head.startswith("/") or not is_peer_id(peer_id):
        raise CommandError(f"{place}: `{text[:200]}` is not a multiaddress that ends in /p2p/<peer id>")
    _check_dialled(place, text)


def _check_peer_id(place: str, text: str) -> None:
    if not is_peer_id(text):
        raise CommandError(f"{place}: `{text[:80]}` is not a peer id such as 12D3KooW…")


def _check_http(place: str, text: str) -> None:
    try:
        split_http(text)
    except CommandError as error:
        raise CommandError(f"{place}: {error}") from None


def _check_folder(place: str, text: str) -> None:
    if not text:
        raise CommandError(f"{place} takes the path of a folder", hint="leave it out to keep nothing")


def _check_size(place: str, text: str) -> None:
    from runtime.marine.config import ConfigError, parse_size

    try:
        parse_size(text, place)
    except ConfigError as error:
        raise CommandError(str(error)) from None


def _check_network(place: str, text: str) -> None:
    if text not in NETWORKS and not re.fullmatch("[0-9a-f]{64}", text):
        raise CommandError(
            f"{place}: `{text[:80]}` is no network",
            hint=f"there are {', '.join(NETWORKS)}, and the lower-case hex of a 32-byte id",
        )


_CONTENTS: Final[dict[str, Callable[[str, str], None]]] = {
    "listen": _check_address,
    "external_addresses": _check_dialled,
    "bootstrap": _check_bootstrap,
    "management_peer_ids": _check_peer_id,
    "http": _check_http,
    "network": _check_network,
    "data_dir": _check_folder,
    "service_memory_limit": _check_size,
    "log_format": _check_choice(*FORMATS),
    "log_level": _check_choice(*LEVELS),
}
"""What texts must be like, beyond being texts."""


def _flag(name: str) -> str:
    """The flag of a setting, as it is written."""
    return f"--{_FLAGS.get(name, name.replace('_', '-'))}"


def _checked_limit(place: str, name: str, value: Any) -> int:
    from runtime.marine.config import ConfigError, parse_size

    if name not in LIMIT_DEFAULTS:
        raise _unknown(place, name, LIMIT_DEFAULTS, "limit")
    if isinstance(LIMIT_DEFAULTS[name], bool):
        if not isinstance(value, bool):
            raise CommandError(f"{place} takes true or false")
        return value
    is_size = "bytes" in name or "size" in name
    if is_size and isinstance(value, str):
        try:
            value = parse_size(value, place)
        except ConfigError as error:
            raise CommandError(str(error)) from None
    least = 0 if name == "life_ms_max" else 1
    if type(value) is not int or not least <= value <= LIMIT_MAX:
        sizes = ', or a size such as "64 MiB"' if is_size else ""
        raise CommandError(f"{place} takes a whole number from {least} to {LIMIT_MAX}{sizes}")
    return value


def _check_dev_mode(place: str, key: str, value: Any) -> None:
    if key not in _DEV_MODE:
        raise _unknown(place, key, _DEV_MODE, "key of [dev_mode]")
    if key == "enable" and not isinstance(value, bool):
        raise CommandError(f"{place} takes true or false")
    if key == "binaries" and not (isinstance(value, dict) and all(isinstance(path, str) for path in value.values())):
        raise CommandError(f"{place} takes a table of texts, name = program")


def _check_effector(place: str, table: Any) -> None:
    if not isinstance(table, dict) or table.keys() != {"wasm_cid", "allowed_binaries"}:
        raise CommandError(f"{place} takes a table with wasm_cid and allowed_binaries")
    binaries = table["allowed_binaries"]
    texts = [table["wasm_cid"], *(binaries.values() if isinstance(binaries, dict) else [None])]
    if not all(isinstance(text, str) for text in texts):
        raise CommandError(f"{place} takes a text as wasm_cid and a table of texts as allowed_binaries")
    from avm.crypto.cid import CidError
    from runtime.store.modules import normal_cid

    try:
        normal_cid(table["wasm_cid"])
    except CidError as error:
        raise CommandError(
            f"{place}: wasm_cid `{table['wasm_cid'][:80]}` is no content id such as bafkrei…: {error}",
            hint="`avm peer modules list` has those of a peer that runs",
        ) from None
