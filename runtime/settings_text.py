"""The settings of a peer as a commented file: what `avm peer init` writes, and what `docs/peer.md` is compared with."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from runtime.core.limits import AvmLimits, CoreLimits
from runtime.settings import LIMIT_DEFAULTS, PeerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

ABOUT: Final[dict[str, tuple[str, str]]] = {
    "listen": (
        "addresses to listen at: tcp for peers, ws for browsers and js-client; 0.0.0.0 for all interfaces, of which others are told the one that leads out",
        "",
    ),
    "key": ("secret key: a seed (base64, base58 or hex), or a file holding one, relative to this file", "peer.key"),
    "bootstrap": ("peers to stay connected to", "/ip4/203.0.113.5/tcp/7771/p2p/12D3KooW…"),
    "external_addresses": ("addresses to tell others instead of those listened at", "/ip4/203.0.113.5/tcp/9991/ws"),
    "management_peer_ids": ("peer ids that may add modules, services and aliases, beside the peer itself", "12D3KooW…"),
    "data_dir": ("where the peer keeps what must outlive it, relative to this file; without it nothing does", "data"),
    "http": (
        "where /peer_id, /versions, /services, /config, /health and /metrics are answered; without it nowhere",
        "127.0.0.1:8080",
    ),
    "network": ("the network whose peers are looked for: dar, stage, kras, or the hex of a 32-byte id", ""),
    "allow_local_addresses": ("dial and keep loopback and private addresses of others", ""),
    "log_format": ("lines of text for people, or json, an object a line, for programs; both on stderr", ""),
    "log_level": ("least level of what is logged: debug, info, warning or error", ""),
    "opentelemetry": ("export spans of particles, as OTEL_… variables say; needs the extra otel", ""),
    "service_memory_limit": ("memory of all modules of one service", "4 GiB"),
    "effectors": ("modules, by content id, that may run programs of this machine", ""),
    "dev_mode": (
        "when enabled, every module may run these programs, and everybody may call aqua-ipfs; for development only",
        "",
    ),
    "limits": ("what the peer holds at most", ""),
}
"""What every setting is, and an example where the default is nothing."""

LIMITS_ABOUT: Final[dict[str, str]] = {
    "runs_max": "runs of the interpreter at once",
    "backlog_max": "particles that wait for a run; then the network has to wait",
    "mailbox_max": "copies of one particle that wait; more are refused",
    "queued_bytes_max": "data of all particles that wait",
    "actors_max": "particles alive at once; new ones are refused",
    "stored_bytes_max": "data of all living particles; then new ones are refused, and known ones cannot grow",
    "script_bytes_max": "scripts of all living particles; then new ones are refused",
    "actor_calls_max": "service calls of one particle that run at once; further ones wait",
    "calls_max": "service calls that run at once; further ones wait",
    "pending_calls_max": "service calls that run or wait",
    "author_share": "one author has at most one part in this many of the above; 1 lets anybody take all",
    "life_ms_max": "a particle lives here for at most so long, in milliseconds from its timestamp; 0: until its own end",
    "air_size_limit": "bytes of a script",
    "particle_size_limit": "bytes of the data of a particle",
    "call_result_size_limit": "bytes of the result of one call",
    "hard_limit_enabled": "refuse what exceeds the last three, instead of only counting it",
}
_TABLES: Final = ("effectors", "dev_mode", "limits")
assert ABOUT.keys() == {f.name for f in fields(PeerSettings)}
assert LIMITS_ABOUT.keys() == {f.name for f in (*fields(CoreLimits), *fields(AvmLimits))} == LIMIT_DEFAULTS.keys()


def config_text(*, key: str, data_dir: str) -> str:
    """A TOML file in which every setting has its default or is commented out, but for the key and the data directory."""
    defaults = PeerSettings()
    given = {"key": key, "data_dir": data_dir}
    lines = [
        "# Settings of `avm peer run --config peer.toml`. Flags and the environment (AVM_PEER_<KEY>) win over this file."
    ]
    for name, (about, example) in ABOUT.items():
        if name in _TABLES:
            continue
        value = given.get(name, getattr(defaults, name))
        lines += ["", f"# {about}"]
        if value is None:
            lines.append(f"# {name} = {toml_value(example)}")
        elif value == () and example:
            lines.append(f"# {name} = {toml_value([example])}")
        else:
            lines.append(f"{name} = {toml_value(value)}")
    lines += ["", f'# {ABOUT["limits"][0]}; bytes are numbers or sizes such as "64 MiB"', "[limits]"]
    for name, about in LIMITS_ABOUT.items():
        lines += [f"# {about}", f"# {name} = {toml_value(LIMIT_DEFAULTS[name])}"]
    lines += [
        "", f"# {ABOUT['dev_mode'][0]}", "# [dev_mode]", "# enable = false", '# binaries = { curl = "/usr/bin/curl" }',
        "", f"# {ABOUT['effectors'][0]}", "# [effectors.curl]", '# wasm_cid = "bafkrei…"', '# allowed_binaries = { curl = "/usr/bin/curl" }',
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def resolved_text(settings: PeerSettings) -> str:
    """The settings as a TOML file that says every one of them but the key, which is a secret; what is not set is left out."""
    lines = []
    for name in ABOUT:
        value = getattr(settings, name)
        if name not in ("key", *_TABLES) and value is not None:
            lines.append(f"{name} = {toml_value(value)}")
    lines += ["", "[limits]"]
    lines += [f"{name} = {toml_value(value)}" for name, value in (LIMIT_DEFAULTS | dict(settings.limits)).items()]
    for name, table in settings.effectors.items():
        lines += [
            "",
            f"[effectors.{json.dumps(name, ensure_ascii=False)}]",
            f"wasm_cid = {toml_value(table['wasm_cid'])}",
        ]
        lines.append(f"allowed_binaries = {_inline(table['allowed_binaries'])}")
    if settings.dev_mode:
        lines += ["", "[dev_mode]"]
        lines += [
            f"{name} = {_inline(v) if isinstance(v, dict) else toml_value(v)}" for name, v in settings.dev_mode.items()
        ]
    return "\n".join(lines) + "\n"


def _inline(table: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{toml_value(key)} = {toml_value(value)}' for key, value in table.items())} }}"


def toml_value(value: object) -> str:
    """A text, number, boolean or list of texts in TOML, which for these is JSON."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
