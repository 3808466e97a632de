"""What the byte-level fuzzers throw bytes at: readers of everything a stranger can send. Each checks its whole contract.

A target takes bytes and raises nothing for any of them; what it finds wrong is an AssertionError or any other exception.
Used by: `run_atheris` (coverage-guided) and `test_smoke` (random mutations of the seeds).
"""

from __future__ import annotations

import contextlib
import random
from array import array
from collections.abc import Callable
from typing import Any, Final, TypeVar

from avm import Avm, RunParameters
from avm.air import parse
from avm.air.printer import print_script
from avm.air.validate import validate
from avm.air.walk import same_shape
from avm.call_data import NO_RESULTS, CallDataError, decode_call_results, encode_call_results
from avm.data import canonical_json
from avm.data.archive_reader import ArchiveError, read_archive
from avm.data.archive_writer import write_archive
from avm.data.envelope import EnvelopeError, read_envelope
from avm.data.human import HumanViewError, to_human_readable_data
from avm.data.json_reader import read_json
from avm.ir.lower import lower
from avm.ir.unread import unread_program
from avm.jit import library
from avm.jit.kernels import json_text
from avm.outcome import CallResult, Outcome
from runtime.core import kademlia
from runtime.core.particle import Particle, new_particle
from runtime.network import Contact
from runtime.protocol import codec
from runtime.protocol.identify import read_identify
from runtime.protocol.identity import named_identity
from runtime.protocol.protobuf import field_bytes
from runtime.protocol.wire import WireError, multistream
from runtime.protocol.wire.noise import StaticKey
from runtime.protocol.wire.session import Session
from runtime.protocol.wire.websocket import Websocket
from runtime.protocol.wire.yamux import Muxer, Stream
from runtime.sim.air_scripts import valid_script
from tests.fuzz.avm_history import IDS, SEEDS, Invocation, play

Value = TypeVar("Value")
DEEPEST_PRINTED: Final = 200
SCRIPT: Final = (
    f'(seq (call "{IDS["A"]}" ("s" "obj") [1] x) (par (call "{IDS["B"]}" ("s" "id") [x.$.a] $s) '
    f'(seq (canon "{IDS["A"]}" $s #c) (fold $s i (seq (ap i $t) (next i))))))'
)
PARAMETERS: Final = RunParameters(IDS["A"], IDS["A"], 1_700_000_000_000, 7000, "fuzz-0", SEEDS["A"])
_avm: Final = Avm("jit")
_static: Final = StaticKey(named_identity("fuzzed"))


def air(data: bytes) -> None:
    """Any text has a tree or a report; a tree is valid and survives printing."""
    text = data.decode("utf-8", "replace")
    result = parse(text)
    assert (result.instruction is None) == bool(result.labels)
    assert bool(result.report) == bool(result.labels)
    kernels = library.get()
    native = None if kernels is None else unread_program(text, kernels, {})
    if result.instruction is None:
        assert native is None
        return
    if native is not None:
        assert native.reader is not None
        assert list(native.reader.ops) == lower(result.instruction).code
    assert validate(result.instruction) == ()
    if text.count("(") < DEEPEST_PRINTED:
        again = parse(print_script(result.instruction)).instruction
        assert again is not None
        assert same_shape(again, result.instruction)


def envelope(data: bytes) -> None:
    """An envelope or EnvelopeError; the view for people likewise."""
    found = attempt(read_envelope, data, EnvelopeError)
    assert found is None or len(found.inner) <= len(data)
    attempt(to_human_readable_data, data, HumanViewError)


def archive(data: bytes) -> None:
    """Data or ArchiveError; data survive writing."""
    decoded = attempt(read_archive, data, ArchiveError)
    if decoded is None:
        return
    texts = [*decoded.stores.values.values(), *decoded.stores.values]
    if any("\ufffd" in text for text in texts):
        return  # two pointers into one text, of which one ends inside a character
    again = read_archive(write_archive(decoded))
    assert again.trace == decoded.trace
    assert again.stores == decoded.stores
    assert again.signatures == decoded.signatures


def call_results(data: bytes) -> None:
    """Results or CallDataError; results survive encoding."""
    found = attempt(decode_call_results, data, CallDataError)
    if found is not None:
        assert decode_call_results(encode_call_results(found)) == found


def json(data: bytes) -> None:
    """A value or JsonError; the canonical text of a value is read back, though its floats may change once more.

    The strict reader finds the same, and the kernel writes that very text, or none.
    """
    text = data.decode("utf-8", "replace")
    native = canonical_natively(text.encode())
    canonical, refusal = read_and_printed(canonical_json.parse, text)
    assert (canonical, refusal) == read_and_printed(read_json, text)
    assert native is None or native.decode() == canonical
    if not refusal:
        canonical_json.parse(canonical)


def read_and_printed(read: Callable[[str], Any], text: str) -> tuple[str, str]:
    """Canonical text and error of a reader; one of them is empty."""
    try:
        return canonical_json.dumps(read(text)), ""
    except canonical_json.JsonError as error:
        return "", str(error)


def canonical_natively(text: bytes) -> bytes | None:
    """The canonical text the kernel writes, None if it leaves that to Python or there is none."""
    kernels = library.get()
    if kernels is None:
        return None
    size = len(text)
    buffer = array("B", text + bytes(2 * size))
    end = kernels.canonical(buffer, 0, size, size, array("q", bytes(8 * json_text.STACK_LONGS)))
    return None if end < 0 else buffer[size:end].tobytes()


def attempt(read: Callable[[bytes], Value], data: bytes, refusal: type[Exception]) -> Value | None:
    """What a reader makes of the bytes, None when it refuses them; a refusal says why."""
    try:
        return read(data)
    except refusal as error:
        complaint = str(error)
    assert complaint
    return None


def current_data(data: bytes) -> None:
    """A whole run on received data."""
    check_outcome(_avm.invoke(SCRIPT, b"", data, PARAMETERS, NO_RESULTS), b"")


def prev_data(data: bytes) -> None:
    """A whole run on stored data, which is trusted and so gets further."""
    check_outcome(_avm.invoke(SCRIPT, data, b"", PARAMETERS, NO_RESULTS), data)


def results(data: bytes) -> None:
    """A whole run on call results."""
    check_outcome(_avm.invoke(SCRIPT, b"", b"", PARAMETERS, data), b"")


def script(data: bytes) -> None:
    """A whole run of any text."""
    check_outcome(_avm.invoke(data.decode("utf-8", "replace"), b"", b"", PARAMETERS, NO_RESULTS), b"")


def check_outcome(outcome: Outcome, prev: bytes) -> None:
    """The classes of outcomes: what each may contain."""
    code = outcome.ret_code
    assert code == 0 or 1 <= code <= 10 or 10000 <= code <= 10012 or 20000 <= code <= 20021 or code == 30000, code
    assert bool(outcome.error_message) == (code != 0)
    assert len(set(outcome.next_peer_pks)) == len(outcome.next_peer_pks)
    if 1 <= code <= 10 or (code >= 20000 and code != 30000):
        assert outcome.data == prev or (code == 20001 and not outcome.data)
        assert not outcome.next_peer_pks
        assert not outcome.call_requests
    else:
        assert outcome.data


def peer_message(data: bytes) -> None:
    """A particle or CodecError; a particle survives encoding."""
    found = attempt(codec.decode, data, codec.CodecError)
    if isinstance(found, Particle):
        assert codec.decode(codec.encode(found)) == found


def peer_introduction(data: bytes) -> None:
    """What a peer says about itself, or what it asks routing: something bounded, or nothing."""
    found = read_identify(data)
    assert found is None or len(found.addresses) <= kademlia.ADDRESSES_MAX
    asked = kademlia.decode(data)
    assert asked is None or kademlia.decode(kademlia.encode(asked)) is not None


class WireHost:
    """Takes streams and drops what they bring."""

    patient = True

    def __init__(self) -> None:
        self.streams: dict[int, int] = {}

    def opened(self) -> None: ...

    def woken(self) -> None: ...

    def accept(self, stream: Stream, protocol: str) -> WireHost | None:
        stream.finish()
        return self if protocol == "/fluence/particle/2.0.0" else None

    def received(self, data: bytes) -> None: ...

    def ended(self) -> None: ...

    def closed(self, reason: str | None) -> None: ...

    def drained(self) -> None: ...


def connection(data: bytes) -> None:
    """A stranger's bytes at the door: the connection goes on, or WireError ends it; what is kept is bounded."""
    host = WireHost()
    websocket = Websocket() if data[:1] == b"G" else None
    session = Session(host, _static, initiator=False, websocket=websocket)
    with contextlib.suppress(WireError):
        for start in range(0, len(data), 7):
            session.feed(data[start : start + 7])
    session.goodbye()
    session.take()
    assert not session.is_open


def streams(data: bytes) -> None:
    """The bytes of a connection that is open: streams, or WireError; all of them end with it, and none is told anything twice."""
    told: list[str | None] = []

    class Watcher(WireHost):
        def closed(self, reason: str | None) -> None:
            told.append(reason)

    def accept(stream: Stream) -> bool:
        stream.sink = Watcher()
        opened.append(stream)
        return len(opened) < 8

    opened: list[Stream] = []
    muxer = Muxer(initiator=False, accept=accept, woken=lambda: None)
    ours = muxer.open(Watcher())
    ours.write(b"x")
    with contextlib.suppress(WireError):
        for start in range(0, len(data), 11):
            muxer.feed(data[start : start + 11])
            muxer.take()
    muxer.close("over")
    assert len(told) == 1 + min(len(opened), 7)
    assert not len(muxer)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (
        air,
        envelope,
        archive,
        call_results,
        json,
        current_data,
        prev_data,
        results,
        script,
        peer_message,
        peer_introduction,
        connection,
        streams,
    )
}


# ── seeds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def seeds(name: str) -> list[bytes]:
    """Inputs to mutate for a target: honest ones."""
    if name in {"air", "script"}:
        return [valid_script(random.Random(seed), list(IDS.values()), 12).encode() for seed in range(12)]
    if name in {"call_results", "results"}:
        return [NO_RESULTS, encode_call_results({"1": CallResult(0, '{"a":[1]}'), "2": CallResult(-1, "é" * 40)})]
    if name == "json":
        return [
            b'{"a":[1,-2.5e3,"\\u00e9\\ud83d\\ude00",null,true],"b":{}}',
            b"123456789012345678901234567890.5e-7",
            b'"\x7f"',
        ]
    if name in {"peer_message", "peer_introduction", "connection", "streams"}:
        return wire_seeds(name)
    found: list[bytes] = []

    def invoke(step: Invocation) -> Outcome:
        outcome = _avm.invoke(step.air, step.prev_data, step.data, step.parameters, step.call_results)
        if outcome.data:
            found.append(outcome.data)
        return outcome

    play(SCRIPT, 0, 12, invoke)
    chosen = sorted(set(found), key=len)[-4:]
    return [read_envelope(data).inner for data in chosen] if name == "archive" else chosen


def wire_seeds(name: str) -> list[bytes]:
    """Honest bytes of another peer."""
    author = named_identity("author")
    if name == "peer_message":
        particle = new_particle(author, particle_id="p", timestamp=1, ttl=2, script="(null)")
        upgrade = b"\x81\x04\x81\xa6action\xa7Upgrade"
        return [codec.encode(particle), codec.encode(particle.with_data(bytes(40))), upgrade]
    if name == "peer_introduction":
        near = Contact(author.peer_id, ("/ip4/127.0.0.1/tcp/1", "/dns4/a.example/tcp/2/wss"))
        told = field_bytes(2, bytes.fromhex("047f000001060001")) + field_bytes(3, b"/fluence/particle/2.0.0")
        return [kademlia.encode(kademlia.FindNode(b"key", (near,))), told + field_bytes(6, b"nox")]
    if name == "connection":
        sides = []
        for websocket in (None, Websocket("a:1")):
            dialer = Session(WireHost(), StaticKey(author), initiator=True, websocket=websocket)
            sides.append(dialer.take())
        return sides
    dialer = Muxer(initiator=True, accept=lambda _: False, woken=lambda: None)
    for _ in range(2):
        stream = dialer.open(WireHost())
        stream.write(multistream.opening("/fluence/particle/2.0.0"))
        stream.finish()
    dialer.ping()
    dialer.go_away()
    return [b"".join(dialer.take())]
