"""Calling services: whatever a handler does becomes a result."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import trio

from avm.outcome import CallRequest, CallResult
from runtime.core.particle import new_particle
from runtime.protocol.identity import named_identity
from runtime.services import registry
from runtime.services.registry import FAILURE, SUCCESS, UNIT, CallContext, ServiceError, Services

HOST = named_identity("host")


def check(body: Any) -> CallResult:
    """The result of a call whose handler runs `body`."""
    services = Services()
    services.add("s", {"f": lambda _, __: body()})
    particle = new_particle(HOST, particle_id="p", timestamp=1, ttl=1, script="(null)")
    context = CallContext(particle, HOST.peer_id, HOST.peer_id, "s", "f", [])
    return trio.run(services.call, CallRequest("s", "f", [], []), context)


def raising(error: BaseException) -> Any:
    def body() -> Any:
        raise error

    return body


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (UNIT, '""'), ([None, "é"], '[null,"é"]')])
def test_values(value: Any, text: str) -> None:
    assert check(lambda: value) == CallResult(SUCCESS, text)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ServiceError({"a": 1}), '{"a":1}'),
        (ValueError("bad"), "\"Service 's' failed in 'f': bad\""),
        (SystemExit(3), "\"Service 's' failed in 'f': 3\""),
        (RecursionError("deep"), "\"Service 's' failed in 'f': deep\""),
    ],
)
def test_errors(error: BaseException, text: str) -> None:
    assert check(raising(error)) == CallResult(FAILURE, text)


@pytest.mark.parametrize("value", [float("nan"), object(), "\ud800", {1: {2: object()}}])
def test_what_is_not_json(value: Any) -> None:
    result = check(lambda: value)
    assert result.ret_code == FAILURE
    assert "result is not JSON" in json.loads(result.result)


def test_results_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "RESULT_BYTES_MAX", 10)
    assert check(lambda: "x" * 8) == CallResult(SUCCESS, '"xxxxxxxx"')
    result = check(lambda: "x" * 9)
    assert result.ret_code == FAILURE
    assert "at most 10 are passed on" in result.result


def test_an_interrupt_is_no_error_of_the_service() -> None:
    with pytest.raises(KeyboardInterrupt):
        check(raising(KeyboardInterrupt()))


def test_long_values_do_not_hold_up_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "SHORT_VALUE_SIZE", 10)
    main, seen = threading.get_ident(), []
    success = registry.success
    monkeypatch.setattr(registry, "success", lambda value: (seen.append(threading.get_ident()), success(value))[1])

    def same(values: list[Any], context: CallContext) -> Any:
        seen.append(threading.get_ident())
        if values == [["fail"] * 20]:
            raise ServiceError("failed")
        return values[0]

    def other(values: list[Any], context: CallContext) -> Any:
        return same(values, context)

    services = Services()
    services.add("pure", {"f": same}, pure=True)
    services.add("bound", {"f": other})
    particle = new_particle(HOST, particle_id="p", timestamp=1, ttl=1, script="(null)")

    async def body() -> None:
        for threads in (False, True):
            if threads:
                services.use_threads()
            for service, value, on_loop in (
                ("pure", "short", (True, True)),
                ("bound", "short", (True, True)),
                ("pure", "x" * 20, (False, False)),
                ("bound", "x" * 20, (True, False)),
                ("bound", {"deep": ["x" * 20]}, (True, True)),
                ("pure", {"deep": ["x" * 20]}, (False, False)),
            ):
                seen.clear()
                context = CallContext(particle, HOST.peer_id, HOST.peer_id, service, "f", [])
                result = await services.call(CallRequest(service, "f", [value], []), context)
                assert (result.ret_code, json.loads(result.result)) == (SUCCESS, value)
                wanted = on_loop if threads else (True, True)
                assert tuple(ident == main for ident in seen) == wanted, (service, value)
        for service in ("pure", "bound"):
            context = CallContext(particle, HOST.peer_id, HOST.peer_id, service, "f", [])
            result = await services.call(CallRequest(service, "f", [["fail"] * 20], []), context)
            assert result == CallResult(FAILURE, '"failed"')

    trio.run(body)


@pytest.mark.parametrize(
    ("arguments", "size"),
    [([], 1), (["abc"], 6), ([[1, 2, 3]], 9), ([{"key": "v"}], 10), ([None, True, 1.5], 7), ([[["a"]]], 8)],
)
def test_the_size_of_arguments_counts_values_and_characters(arguments: list[Any], size: int) -> None:
    request = CallRequest("s", "f", arguments, [])
    assert [request.is_longer_than(bound) for bound in range(100)] == [bound < size for bound in range(100)]
