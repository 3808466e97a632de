"""Records of a peer: their fields, their two forms, and what must not be in them."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trio

from avm.crypto import base58
from runtime import logs
from runtime.core.particle import new_particle
from runtime.logs import FIELDS, TEXT_CHARS_MAX, about, level_of, set_up
from runtime.marine.blueprint import Blueprint
from tests.runtime.commands.test_schemas import check as check_schema
from tests.runtime.marine.kit import function, module
from tests.runtime.services.hosting import HOST, MANAGER, open_hosting, run

log = logging.getLogger("runtime.test")


@contextmanager
def written(format_: str = "json", level: str = "debug", **more: Any) -> Iterator[io.StringIO]:
    """What is logged in the block."""
    root = logging.getLogger()
    before, handlers = root.level, root.handlers[:]
    stream = io.StringIO()
    handler = set_up(format_, level, stream=stream, **more)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        for old in handlers:
            root.addHandler(old)


def records(stream: io.StringIO) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    for record in found:
        check_schema("avm-peer-log", record)
    return found


def test_json() -> None:
    with written(peer_id="12D3") as stream:
        log.warning("not %s", "sent", extra={"particle_id": "p", "target": "t", "ret_code": 7, "unknown": "x"})
        try:
            raise ValueError("é")
        except ValueError:
            log.exception("broken")
    first, second = records(stream)
    time = first.pop("time")
    assert len(time) == len("2026-01-01T12:00:00.000Z")
    assert time.endswith("Z")
    assert first == {
        "level": "warning", "logger": "runtime.test", "message": "not sent", "peer_id": "12D3",
        "particle_id": "p", "target": "t", "ret_code": 7,
    }  # fmt: skip
    assert second["exception"].endswith("ValueError: é")


def test_text() -> None:
    with written("text") as stream:
        log.info("particle p dropped", extra={"particle_id": "p", "reason": "busy"})
        log.info("nothing more")
    first, second = stream.getvalue().splitlines()
    assert first.endswith("INFO runtime.test: particle p dropped [reason=busy]")
    assert second.endswith("INFO runtime.test: nothing more")


@pytest.mark.parametrize("format_", logs.FORMATS)
def test_strangers_cannot_forge_a_line(format_: str) -> None:
    with written(format_) as stream:
        log.info("malformed: %s", "x\n2026-01-01 ERROR\x1b[31m all is lost", extra={"particle_id": "a\nb\u2028c"})
        log.info("%s", "y" * (TEXT_CHARS_MAX + 1), extra={"reason": "z" * (TEXT_CHARS_MAX + 1)})
        log.info("half a pair \ud800")
    text = stream.getvalue()
    assert len(text.splitlines()) == 3
    assert "\x1b" not in text
    assert "y" * (TEXT_CHARS_MAX + 1) not in text
    assert "z" * (TEXT_CHARS_MAX + 1) not in text


def test_levels() -> None:
    with written(level="info") as stream:
        log.debug("no")
        log.info("yes")
        logging.getLogger("libp2p.host").error("no news")
        logging.warning("of a library that uses the root logger")
    assert [record["message"] for record in records(stream)] == ["yes"]
    assert [level_of(count) for count in (0, 1, 2, 3)] == [None, "info", "debug", "debug"]


def test_what_is_in_work_is_named() -> None:
    with written() as stream:
        with about("p", "author", "scope"):
            log.info("inside")
            log.info("of another", extra={"particle_id": "q"})
            with about("inner", "author"):
                log.info("nested")
            log.info("again", extra={"connection": "c"})
        log.info("outside")
    inside, another, nested, again, outside = (
        {name: record[name] for name in FIELDS if name in record} for record in records(stream)
    )
    assert inside == {"particle_id": "p", "init_peer_id": "author", "scope": "scope"}
    assert another == {"particle_id": "q"}
    assert nested == {"particle_id": "inner", "init_peer_id": "author"}
    assert again == inside | {"connection": "c"}
    assert outside == {}


def test_threads_are_in_it_and_tasks_that_outlive_it_are_not() -> None:
    async def main() -> None:
        done = trio.Event()

        async def later() -> None:
            await done.wait()
            log.info("later")

        async with trio.open_nursery() as nursery:
            with about("p", "author"):
                nursery.start_soon(later)
                await trio.to_thread.run_sync(log.info, "in a thread")
                thread = threading.Thread(target=log.info, args=("in a thread of its own",))
                thread.start()
                thread.join()
            done.set()

    with written() as stream:
        trio.run(main)
    assert [record.get("particle_id") for record in records(stream)] == ["p", None, None]


def test_what_a_module_logs_is_about_the_particle_that_calls_it() -> None:
    wasm = module(
        '(data (i32.const 8) "hello") (func (export "shout") (call $log (i32.const 2) (i32.const 0) (i32.const 8) (i32.const 5)))',
        {"functions": [function("shout")]},
        imports='(import "host" "log_utf8_string" (func $log (param i32 i32 i32 i32)))',
    )

    async def main() -> str:
        async with open_hosting(author=MANAGER) as (_, host, hosting):
            cid = hosting.hosted.store.add_module("loud", wasm)
            blueprint = hosting.hosted.store.add_blueprint(Blueprint("loud", (cid,)))
            service_id = await hosting.hosted.create(HOST.peer_id, blueprint, MANAGER.peer_id)
            script = f'(call "{HOST.peer_id}" ("{service_id}" "shout") [])'
            now_ms = host.clock.now_ms()
            host.submit(new_particle(MANAGER, particle_id="p", timestamp=now_ms, ttl=60_000, script=script))
            await host.wait_idle()
            return service_id

    with written() as stream:
        service_id = run(main)
    (record,) = [record for record in records(stream) if record["logger"] == "runtime.marine"]
    assert record["message"].endswith("loud: hello")
    assert (record["service_id"], record["module_name"]) == (service_id, "loud")
    assert (record["particle_id"], record["init_peer_id"], record["scope"]) == ("p", MANAGER.peer_id, HOST.peer_id)


def test_a_peer_names_its_particles_and_keeps_its_secrets() -> None:
    """A run that fails, a service that breaks, a dropped particle, one that cannot be sent, a malformed message."""
    gone = "12D3KooWPt1SKAjmmvQ78dzjQhqgY6PK6KnffK1CS223kfyXiy5w"

    async def main() -> None:
        async with open_hosting(author=MANAGER) as (_, host, hosting):

            def broken(_: Any, __: Any) -> Any:
                log.info("from inside")
                raise RuntimeError("broken service")

            host.services.add("mine", {"broken": broken})
            now_ms = host.clock.now_ms()
            at = f'(call "{HOST.peer_id}"'
            for name, script in (
                ("failing", '(fail 5 "why")'),
                (
                    "breaking",
                    f'(seq {at} ("op" "concat_strings") ["argument-" "text"] a) {at} ("mine" "broken") [a] x))',
                ),
                ("printing", f'{at} ("run-console" "print") ["printed"])'),
                ("vaulting", f'(seq {at} ("vault" "put") ["vault-text"] x) {at} ("mine" "broken") [x]))'),
                ("sending", f'(call "{gone}" ("op" "noop") [])'),
            ):
                particle = new_particle(MANAGER, particle_id=name, timestamp=now_ms, ttl=60_000, script=script)
                secrets.append(hosting.hosted.vault.token(particle.signature))
                host.submit(particle)
            host.submit(new_particle(MANAGER, particle_id="late", timestamp=1, ttl=1, script="(null)"))
            await host.on_message(MANAGER.peer_id, b"no particle")
            await host.wait_idle()

    secrets = ["argument-text"]
    with written(peer_id=HOST.peer_id) as stream:
        run(main)
    found = records(stream)
    assert all(record["peer_id"] == HOST.peer_id for record in found)
    by_id = {record.get("particle_id"): record for record in found}
    assert by_id["failing"]["ret_code"] == 10006
    assert (by_id["failing"]["scope"], by_id["failing"]["init_peer_id"]) == (HOST.peer_id, MANAGER.peer_id)
    inside = next(record for record in found if record["message"] == "from inside")
    assert (inside["particle_id"], inside["scope"]) == ("breaking", HOST.peer_id)
    broke = next(record for record in found if "broken service" in record["message"])
    assert (broke["particle_id"], broke["service"], broke["function"]) == ("breaking", "mine", "broken")
    assert (by_id["printing"]["message"], by_id["printing"]["service"]) == ('["printed"]', "run-console")
    assert by_id["late"]["reason"] == "expired"
    assert (by_id["sending"]["target"], by_id["sending"]["init_peer_id"]) == (gone, MANAGER.peer_id)
    malformed = next(record for record in found if "malformed" in record["message"])
    assert malformed["connection"] == MANAGER.peer_id
    assert "particle_id" not in malformed
    for identity in (HOST, MANAGER):
        secrets += [identity.seed.hex(), base64.b64encode(identity.seed).decode(), base58.encode(identity.seed)]
    assert [secret for secret in secrets if secret in stream.getvalue()] == []
    assert [record for record in found if "particle" in record["message"] and "particle_id" not in record] == []
