"""Spans of particles: what a visit consists of, how the peers of a particle share a trace, and that nothing stays open."""

from __future__ import annotations

import gzip
import io
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
import trio
import trio.testing

from aquac.command_line import CommandError
from avm import Avm
from avm.outcome import CallRequest, CallResult
from runtime import tracing
from runtime.cli import main as command
from runtime.client import Client
from runtime.clock import LoopClock
from runtime.config import PeerConfig
from runtime.core.actions import Call, Forget
from runtime.core.events import ActorKey, Called, RunFailed, Tick
from runtime.core.particle import Particle, new_particle
from runtime.core.peer_core import ClientPolicy
from runtime.inprocess import Fabric, address_of
from runtime.peer import Peer
from runtime.protocol.identity import Identity, named_identity
from runtime.services.client import ClientServices
from runtime.services.registry import Services
from runtime.vm import InlineVm
from tests.runtime.services.hosting import HOST, MANAGER, open_hosting, run

pytestmark = pytest.mark.otel

A, B, C = (named_identity(name) for name in "abc")
START_MS = 1_700_000_000_000


class Traced:
    """A peer whose spans are kept."""

    def __init__(self, fabric: Fabric, identity: Identity, bootstrap: Identity | None = None) -> None:
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        from runtime.particle_spans import ParticleSpans, ParticleTraceIds

        self.exporter = InMemorySpanExporter()
        ids = ParticleTraceIds()
        provider = tracing.make_provider(identity.peer_id, ids)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        clock = LoopClock(START_MS)
        self.spans = ParticleSpans(provider, ids, now_ns=lambda: clock.now_ms() * 1_000_000)
        services = Services()

        async def slow(values: list[Any], _: Any) -> Any:
            await trio.sleep(values[0])
            return values[0]

        def fail(_: list[Any], __: Any) -> Any:
            raise RuntimeError("broken")

        services.add("test", {"slow": slow, "fail": fail})
        config = PeerConfig(
            identity, listen=("/memory/0",), bootstrap=() if bootstrap is None else (address_of(bootstrap.peer_id),)
        )
        vm = InlineVm(Avm("interp"))
        self.peer = Peer(config, fabric.endpoint(identity.peer_id), vm=vm, services=services, clock=clock)
        self.spans.attach(self.peer)

    def found(self, name: str | None = None) -> list[Any]:
        """Finished spans, as they ended."""
        return [span for span in self.exporter.get_finished_spans() if name is None or span.name == name]


def check(main: Any) -> None:
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def particle(script: str, *, particle_id: str = "p", ttl: int = 10_000) -> Particle:
    return new_particle(A, particle_id=particle_id, timestamp=START_MS, ttl=ttl, script=script)


def call(at: Identity, function: str, arguments: str, result: str = "") -> str:
    return f'(call "{at.peer_id}" ("test" "{function}") [{arguments}] {result})'


def test_a_visit() -> None:
    async def main() -> None:
        one = Traced(Fabric(), A)
        async with one.peer:
            one.peer.submit(particle(f"(seq {call(A, 'slow', '2', 'x')} {call(A, 'slow', '1', 'y')})"))
            await trio.sleep(5)
            assert one.spans.open_visits == 0
        names = [span.name for span in one.found()]
        assert sorted(names) == ["particle"] + ["particle.call"] * 2 + ["particle.queue"] * 3 + ["particle.run"] * 3
        (visit,) = one.found("particle")
        assert dict(visit.attributes) == {
            "avm.particle.id": "p", "avm.particle.init_peer_id": A.peer_id, "avm.peer.id": A.peer_id,
            "avm.scope": A.peer_id, "avm.particle.timestamp_ms": START_MS, "avm.particle.ttl_ms": 10_000,
            "avm.particle.data_bytes": 0,
        }  # fmt: skip
        assert visit.parent is None
        assert (visit.end_time - visit.start_time) // 1_000_000 == 3000
        runs = one.found("particle.run")
        assert [span.attributes["avm.run.call_requests"] for span in runs] == [1, 1, 0]
        assert [span.attributes["avm.run.call_results"] for span in runs] == [0, 1, 1]
        assert {span.attributes["avm.run.ret_code"] for span in runs} == {0}
        assert {span.attributes["avm.run.tier"] for span in runs} <= {"interpreter", "native", "interp"}
        first, second = one.found("particle.call")
        assert (first.attributes["avm.call.service"], first.attributes["avm.call.function"]) == ("test", "slow")
        assert [(span.end_time - span.start_time) // 1_000_000 for span in (first, second)] == [2000, 1000]
        assert [span.parent.span_id for span in (first, second)] == [span.context.span_id for span in runs[:2]]
        for span in (*one.found("particle.queue"), *runs):
            assert span.parent.span_id == visit.context.span_id
        resource = visit.resource.attributes
        assert (resource["service.instance.id"], resource["service.name"]) == (A.peer_id, "avm-peer")

    check(main)


def test_peers_share_a_trace() -> None:
    from runtime.particle_spans import trace_id_of

    async def main() -> None:
        fabric = Fabric()
        one, two = Traced(fabric, A), Traced(fabric, B, A)
        async with one.peer, two.peer:
            one.peer.submit(particle(f"(seq {call(A, 'slow', '0', 'x')} {call(B, 'slow', 'x')})"))
            one.peer.submit(particle("(null)", particle_id="other"))
            await trio.sleep(1)
        spans = one.found() + two.found()
        mine = [span for span in spans if span.context.trace_id == trace_id_of("p")]
        others = [span for span in spans if span.context.trace_id == trace_id_of("other")]
        assert len(mine) + len(others) == len(spans)
        assert {span.attributes["avm.peer.id"] for span in mine if span.name == "particle"} == {A.peer_id, B.peer_id}
        (sent,) = one.found("particle.send")
        assert (sent.attributes["avm.send.target"], sent.kind.name, sent.status.is_ok) == (B.peer_id, "PRODUCER", True)
        assert sent.attributes["avm.send.data_bytes"] > 0
        assert sent.parent.span_id in [span.context.span_id for span in one.found("particle.run")]

    check(main)
    # Other programs, and later versions, must come to the same: the first 16 bytes of the SHA-256 of `avm-particle:p`.
    assert trace_id_of("p") == 0x0CB3DE260CF08265ABC86B4DC790184D


def test_failures() -> None:
    async def main() -> None:
        fabric = Fabric()
        one = Traced(fabric, A)
        async with one.peer:
            one.peer.submit(particle('(fail 7 "secret reason")', particle_id="run"))
            one.peer.submit(particle(call(A, "fail", '"secret"'), particle_id="call"))
            one.peer.submit(particle(call(C, "slow", "1"), particle_id="send"))
            await trio.sleep(1)
            assert one.spans.open_visits == 0
        bad = {
            span.name: span for span in one.found() if not span.status.is_ok and span.status.status_code.name == "ERROR"
        }
        assert bad.keys() == {"particle.run", "particle.call", "particle.send"}
        assert (bad["particle.call"].attributes["avm.call.ret_code"], bad["particle.call"].status.description) == (
            1,
            "ret_code 1",
        )
        assert bad["particle.send"].attributes["avm.send.target"] == C.peer_id

    check(main)


def test_names_that_programs_choose_can_be_exported() -> None:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    async def main() -> None:
        one = Traced(Fabric(), A)
        async with one.peer:
            key = ActorKey(A.peer_id, b"s")
            request = CallRequest("half a pair \ud800", "f" * 100_000, [], [])
            one.spans.step(Tick(), [Call(key, 1, request, particle("(null)"))])
            one.spans.step(RunFailed(key, "x"), [])
            one.spans.step(Called(key, 1, CallResult(1, '"secret"')), [Forget(key, "p")])
        (span,) = one.found("particle.call")
        assert span.attributes["avm.call.service"] == "half a pair ?"
        assert len(span.attributes["avm.call.function"]) == 500
        assert b"secret" not in encode_spans(one.found()).SerializeToString()

    check(main)


def test_dropped_particles() -> None:
    async def main() -> None:
        one = Traced(Fabric(), A)
        async with one.peer:
            one.peer.submit(particle("(null)", ttl=1).with_data(b""))
            await trio.sleep(0.5)
            one.peer.submit(particle("(null)", particle_id="late", ttl=1))
            await trio.sleep(0.5)
            assert one.spans.open_visits == 0
        late = one.found("particle")[-1]
        assert (late.attributes["avm.particle.id"], late.attributes["avm.drop.reason"]) == ("late", "expired")
        assert late.status.description == "expired"

    check(main)


def test_what_is_over_first_is_ended() -> None:
    async def main() -> None:
        one = Traced(Fabric(), A)
        async with one.peer:
            one.peer.submit(particle(call(A, "slow", "100"), ttl=5000))
            await trio.sleep(1)
            assert one.spans.open_visits == 1
            one.peer.submit(particle(call(A, "slow", "100"), ttl=5000))  # a copy: the same visit
            await trio.sleep(10)
            assert one.spans.open_visits == 0
            assert [span.status.description for span in one.found("particle.call")] == ["the particle was over first"]
            (visit,) = one.found("particle")
            assert visit.status.description == "over before it was done"
            now = LoopClock(START_MS).now_ms()
            last = new_particle(A, particle_id="last", timestamp=now, ttl=60_000, script=call(A, "slow", "100"))
            one.peer.submit(last)
            await trio.sleep(1)
        one.spans.close()
        assert one.spans.open_visits == 0
        assert one.found("particle")[-1].attributes["avm.particle.id"] == "last"

    check(main)


def test_workers_are_visited_in_scopes_of_their_own() -> None:
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from runtime.particle_spans import ParticleSpans, ParticleTraceIds

    exporter, ids = InMemorySpanExporter(), ParticleTraceIds()
    provider = tracing.make_provider(HOST.peer_id, ids)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = ParticleSpans(provider, ids)

    async def main() -> str:
        async with open_hosting(author=MANAGER) as (_, host, hosting):
            spans.attach(host)
            worker = hosting.workers.create("deal", MANAGER.peer_id, ())
            script = f'(call "{worker.id}" ("op" "noop") [])'
            host.submit(
                new_particle(MANAGER, particle_id="w", timestamp=host.clock.now_ms(), ttl=60_000, script=script)
            )
            await host.wait_idle()
            return worker.id

    worker_id = run(main)
    assert spans.open_visits == 0
    visits = [span for span in exporter.get_finished_spans() if span.name == "particle"]
    assert {span.attributes["avm.scope"] for span in visits} == {HOST.peer_id, worker_id}
    assert len({span.context.trace_id for span in visits}) == 1


def test_a_client_can_be_traced_too() -> None:
    async def main() -> None:
        fabric = Fabric()
        relay = Traced(fabric, B)
        mine = Traced(fabric, A)
        clock = LoopClock(START_MS)
        services = ClientServices(A, clock, lambda line: None)
        peer = Peer(
            PeerConfig(A),
            fabric.endpoint(A.peer_id),
            vm=InlineVm(Avm("interp")),
            services=services,
            policy=ClientPolicy(B.peer_id),
            clock=clock,
        )
        mine.spans.attach(peer)
        async with relay.peer, peer:
            await peer.network.dial(address_of(B.peer_id))
            answer = await Client(peer, services, B.peer_id).call(
                f'(seq {call(B, "slow", "0", "x")} (call %init_peer_id% ("callbackSrv" "response") [x]))', ttl_ms=5000
            )
            assert answer.values == [0]
            await trio.sleep(1)
        assert {span.context.trace_id for span in mine.found() + relay.found()} == {mine.found()[0].context.trace_id}
        assert [span.kind.name for span in mine.found("particle.send")] == ["PRODUCER"]

    check(main)


# ── setting up ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_spans_are_exported_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    (made,) = tracing.exporters({})
    assert isinstance(made, OTLPSpanExporter)
    made.shutdown()
    assert tracing.exporters({"OTEL_TRACES_EXPORTER": "none"}) == []
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=one,deployment=test")
    from runtime.particle_spans import ParticleTraceIds

    attributes = tracing.make_provider("12D3", ParticleTraceIds()).resource.attributes
    assert (attributes["service.name"], attributes["service.instance.id"], attributes["deployment"]) == (
        "mine",
        "one",
        "test",
    )


def test_the_console_is_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    spans = tracing.open_spans(A.peer_id, {"OTEL_TRACES_EXPORTER": "console"})

    async def main() -> None:
        one = Traced(Fabric(), A)
        spans.attach(one.peer)
        async with one.peer:
            one.peer.submit(particle("(null)"))
            await trio.sleep(1)

    check(main)
    spans.close()
    assert '"avm.particle.id": "p"' in stream.getvalue()


@pytest.mark.parametrize(("environment", "message"), [
    ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: there is no exporter `zipkin`"),
    ({"OTEL_EXPORTER_OTLP_PROTOCOL": "carrier"}, "OTEL_EXPORTER_OTLP_PROTOCOL: `carrier` is not http/protobuf or grpc"),
    ({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "json"}, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: `json` is not"),
])  # fmt: skip
def test_wrong_variables(environment: dict[str, str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        tracing.open_spans(A.peer_id, environment)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_exporters_that_are_not_installed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "entry_points", lambda group: ())
    with pytest.raises(CommandError, match=r"the exporter `otlp` is not installed \(otlp_proto_http\)") as caught:
        tracing.exporters({})
    assert caught.value.hint == "there are console, none; `pip install 'aquac[otel]'` brings otlp over http"


class Collector(BaseHTTPRequestHandler):
    """Takes what is exported over OTLP."""

    spans: ClassVar[list[tuple[str, Any]]] = []

    def do_POST(self) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
            found = [span for scope in resource.scope_spans for span in scope.spans]
            self.spans.extend((names["service.instance.id"], span) for span in found)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.mark.p2p
@pytest.mark.slow
def test_two_processes_export_one_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A round trip through a relay; both peers send their spans to one collector, at the latest when they end."""
    from tests.conformance.areas.js_client import running_peer, tcp

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        flags = ("--opentelemetry", "--listen", "/ip4/127.0.0.1/tcp/0")
        try:
            with running_peer(*flags) as first, running_peer(*flags, "--bootstrap", tcp(first)) as second:
                words = ("--relay", tcp(first), "--peer", second["peer_id"], "--count", "1")
                assert command(["peer", "ping", *words]) == 0
        finally:
            server.shutdown()
            thread.join()
    capsys.readouterr()
    by_peer = {peer_id: {span.trace_id for instance, span in Collector.spans if instance == peer_id}
               for peer_id in (first["peer_id"], second["peer_id"])}  # fmt: skip
    shared = by_peer[first["peer_id"]] & by_peer[second["peer_id"]]
    assert len(shared) == 2  # the round trip, and the one before it that is not counted
    names = {span.name for _, span in Collector.spans if span.trace_id in shared}
    assert names == {"particle", "particle.queue", "particle.run", "particle.call", "particle.send"}
