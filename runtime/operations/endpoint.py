"""The HTTP endpoint of a peer, read from elsewhere.

Errors: CommandError: exit 5 when nothing listens there, 4 when the answer takes too long, 3 when it is no peer's.
"""

from __future__ import annotations

import http.client
import json
import re
from typing import Any, Final

from aquac.command_line import TIMED_OUT, UNREACHABLE, WORKFLOW_ERROR, CommandError

ANSWER_BYTES_MAX: Final = 16 << 20
"""Longest answer that is read."""

_SAMPLE: Final = re.compile(
    r'(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (?P<value>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?: \S+)?(?: #.*)?'
)
_LABEL: Final = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')


def read_endpoint(host: str, port: int, timeout_s: float, prefixes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Peer id, versions, health and metrics of a peer: the document of `avm peer metrics`. Raises CommandError."""

    def get(path: str) -> tuple[int, str]:
        return _get(host, port, path, timeout_s)

    place = f"{host}:{port}"
    identity = _json_object(place, "/peer_id", get("/peer_id"))
    versions = _json_object(place, "/versions", get("/versions"))
    code, text = get("/health")
    checks = _parsed(place, "/health", text)
    if code not in (200, 429, 503) or not isinstance(checks, list):
        raise _not_a_peer(place, "/health")
    code, text = get("/metrics")
    return {
        "peer_id": identity.get("peer_id"),
        "versions": versions,
        "healthy": all(value == "Ok" for check in checks for value in check.values()),
        "health": {name: value for check in checks for name, value in check.items()},
        "metrics": samples(text, prefixes) if code == 200 else [],
    }


def samples(text: str, prefixes: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The samples of a document of OpenMetrics, in its order; those of histograms' buckets, and what is no number, are left out."""
    out = []
    for line in text.splitlines():
        found = None if line.startswith("#") else _SAMPLE.fullmatch(line)
        if found is None or found["name"].endswith(("_bucket", "_created")):
            continue
        if prefixes and not found["name"].startswith(prefixes):
            continue
        value = float(found["value"])
        labels = {name: _plain(text) for name, text in _LABEL.findall(found["labels"] or "")}
        out.append({"name": found["name"], "labels": labels, "value": int(value) if value.is_integer() else value})
    return out


def _plain(text: str) -> str:
    """The text of a label without its escapes."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def _get(host: str, port: int, path: str, timeout_s: float) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(ANSWER_BYTES_MAX).decode("utf-8", "replace")
    except TimeoutError:
        raise CommandError(f"{host}:{port} has not answered within {timeout_s:g} s", TIMED_OUT) from None
    except (OSError, http.client.HTTPException) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        raise CommandError(
            f"{host}:{port} cannot be asked: {text}", UNREACHABLE, hint="was the peer started with --http HOST:PORT?"
        ) from None
    finally:
        connection.close()


def _json_object(place: str, path: str, answer: tuple[int, str]) -> dict[str, Any]:
    code, text = answer
    value = _parsed(place, path, text) if code == 200 else None
    if not isinstance(value, dict):
        raise _not_a_peer(place, path)
    return value


def _parsed(place: str, path: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _not_a_peer(place, path) from None


def _not_a_peer(place: str, path: str) -> CommandError:
    return CommandError(f"{place} answers {path} as no peer does", WORKFLOW_ERROR, hint="is it the --http of a peer?")
