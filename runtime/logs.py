"""Records of a peer: lines of text for people, or a JSON object a line for programs. Both go to stderr.

A record about a particle has fields that say which one. They come from the call of the logger (`extra={"particle_id": …}`), else from
what is in work: whatever logs within `with about(particle, scope):`, in the same task or in a thread it waits for, has them too. What
strangers send is cut short and never breaks a line. No record has keys, tokens of vaults, arguments or results; what `run-console.print`
is given, and the beginning of a script that failed, are logged on purpose.
Errors: none.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

    from runtime.core.particle import Particle

FORMATS: Final = ("text", "json")
LEVELS: Final = ("debug", "info", "warning", "error")
DEFAULT_FORMAT: Final = "text"
DEFAULT_LEVEL: Final = "warning"

FIELDS: Final[dict[str, str]] = {
    "peer_id": "this peer",
    "particle_id": "id of the particle",
    "init_peer_id": "its author",
    "scope": "the peer or worker on which it is in work",
    "service": "id of the service that is called",
    "function": "its function",
    "connection": "the peer at the other end of a connection",
    "target": "the peer a message is for",
    "address": "a multiaddr",
    "ret_code": "code of the interpreter",
    "reason": "why something was not done",
    "service_id": "a Wasm service",
    "module_name": "one of its modules",
    "spell_id": "a spell",
}
"""What a record may have beside time, level, logger and message, in this order."""

TEXT_CHARS_MAX: Final = 4096
"""Longest message and longest field; what is longer is cut."""

_SILENT: Final = ("libp2p", "multiaddr")
"""Libraries that log what is no news. Some of their parts use the root logger, which is silent, too."""

_ABOUT: Final = ("particle_id", "init_peer_id", "scope")
_current: ContextVar[about | None] = ContextVar("current", default=None)


class about:
    """A block that works on one particle. Tasks that outlive it, such as those of a new connection, are not about the particle."""

    __slots__ = ("_over", "_token", "init_peer_id", "particle_id", "scope")

    def __init__(self, particle_id: str, init_peer_id: str, scope: str | None = None) -> None:
        """Name the particle, its author and the peer or worker it is in work on."""
        self.particle_id = particle_id
        self.init_peer_id = init_peer_id
        self.scope = scope
        self._over = False

    def __enter__(self) -> None:
        """Begin."""
        self._token = _current.set(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, also for whoever has inherited it."""
        self._over = True
        _current.reset(self._token)

    @staticmethod
    def fields() -> dict[str, Any]:
        """What is in work now; nothing when that is not known."""
        found = _current.get()
        if found is None or found._over:
            return {}
        return {name: value for name in _ABOUT if (value := getattr(found, name)) is not None}


def set_up(
    format_: str = DEFAULT_FORMAT,
    level: str = DEFAULT_LEVEL,
    *,
    peer_id: str | None = None,
    stream: TextIO | None = None,
) -> logging.Handler:
    """Write the records of this process in one of `FORMATS`, from one of `LEVELS` on, instead of what was set up before.

    peer_id: this peer, for the records. stream: stderr by default. The handler, for whoever wants to take it away again.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter(peer_id) if format_ == "json" else TextFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    handler.addFilter(lambda record: record.name != "root" or record.levelno >= logging.CRITICAL)
    return handler


def particle_fields(particle: Particle, scope: str | None = None) -> dict[str, str | None]:
    """What a record about a particle has, as `extra` of a logger."""
    return {"particle_id": particle.id, "init_peer_id": particle.init_peer_id, "scope": scope}


def level_of(verbose: int) -> str | None:
    """The level that `-v`, given so many times, asks for; None without it."""
    return None if not verbose else "info" if verbose == 1 else "debug"


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a record. Those it was given count alone when they name a particle."""
    own = {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
    if "particle_id" in own:
        return own
    found = about.fields() | own
    return {name: found[name] for name in FIELDS if name in found}


class JsonFormatter(logging.Formatter):
    """One JSON object a record: `time` (UTC), `level`, `logger`, `message`, and its fields; `exception`, where there is one."""

    def __init__(self, peer_id: str | None = None) -> None:
        """Hold the id of this peer."""
        super().__init__()
        self._peer_id = peer_id

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        out: dict[str, Any] = {
            "time": time,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _cut(record.getMessage()),
        }
        if self._peer_id is not None:
            out["peer_id"] = self._peer_id
        out |= {
            name: value if isinstance(value, int) else _cut(str(value)) for name, value in fields_of(record).items()
        }
        if record.exc_info:
            out["exception"] = self.formatException(record.exc_info)
        return json.dumps(out)


class TextFormatter(logging.Formatter):
    """Time, level, logger, message, and in brackets the fields that are not in the message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; only a traceback takes more."""
        message = _cut(record.getMessage())
        more = [f"{name}={_cut(str(value))}" for name, value in fields_of(record).items() if str(value) not in message]
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {message}"
        line = _one_line(f"{line} [{' '.join(more)}]" if more else line)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}…"


def _one_line(text: str) -> str:
    """The text without control characters: whoever chooses a part of it must not be able to begin a line, or to colour one."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )
