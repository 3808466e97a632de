"""The door to OpenTelemetry: loads it where a peer is asked for spans, sets it up as its OTEL_… variables say.

OTEL_TRACES_EXPORTER chooses exporters (`otlp` by default, `console` for stderr, `none`, or any that is installed),
OTEL_EXPORTER_OTLP_PROTOCOL its form (`http/protobuf` by default); addresses, headers, batches, samplers and resources have theirs, which
OpenTelemetry reads itself.
Errors: CommandError (exit 2) naming the extra `otel` when it is missing, and the variable that is wrong.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from aquac.command_line import CommandError
from aquac.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from runtime.particle_spans import ParticleSpans, ParticleTraceIds

SERVICE_NAME: Final = "avm-peer"
"""`service.name`, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say another."""

EXPORTERS: Final = "opentelemetry_traces_exporter"
"""The group of entry points with exporters."""


def otel_installed() -> bool:
    """Whether the extra `otel` is there, without loading it."""
    return importlib.util.find_spec("opentelemetry") is not None and (
        importlib.util.find_spec("opentelemetry.sdk") is not None
    )


def open_spans(peer_id: str, environment: Mapping[str, str] = os.environ) -> ParticleSpans:
    """Spans of a peer, exported as the environment says. Raises CommandError."""
    hint = "pip install 'aquac[otel]'"
    if not otel_installed():
        raise CommandError("OpenTelemetry is asked for, which needs the extra `otel`; it is not installed", hint=hint)
    try:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from runtime.particle_spans import ParticleSpans, ParticleTraceIds
    except ImportError as error:
        raise CommandError(f"OpenTelemetry is asked for, and does not load: {error}", hint=hint) from error
    ids = ParticleTraceIds()
    found = exporters(environment)
    provider = make_provider(peer_id, ids)
    for exporter in found:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return ParticleSpans(provider, ids)


def make_provider(peer_id: str, ids: ParticleTraceIds) -> TracerProvider:
    """A provider of its own, without exporters, for the spans of a peer. Raises CommandError for a variable that is wrong."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider

    ours = {"service.name": SERVICE_NAME, "service.version": VERSION, "service.instance.id": peer_id}
    try:
        resource = Resource.create().merge(Resource(ours)).merge(OTELResourceDetector().detect())
        return TracerProvider(id_generator=ids, resource=resource, shutdown_on_exit=False)
    except ValueError as error:
        raise CommandError(f"a variable OTEL_… is wrong: {error}") from error


def exporters(environment: Mapping[str, str]) -> list[SpanExporter]:
    """What OTEL_TRACES_EXPORTER names. Raises CommandError."""
    names = [name.strip() for name in environment.get("OTEL_TRACES_EXPORTER", "otlp").split(",") if name.strip()]
    if names == ["none"]:
        return []
    return [_exporter(name, environment) for name in names or ["otlp"]]


def _exporter(name: str, environment: Mapping[str, str]) -> SpanExporter:
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)  # stdout has the one line that says that the peer is ready
    entry = _otlp(environment) if name == "otlp" else name
    known = {point.name: point for point in entry_points(group=EXPORTERS)}
    if entry not in known:
        there = ", ".join(sorted({"console", "none", *("otlp" if n.startswith("otlp") else n for n in known)}))
        raise CommandError(
            f"OTEL_TRACES_EXPORTER: the exporter `{name}` is not installed ({entry})"
            if entry != name
            else f"OTEL_TRACES_EXPORTER: there is no exporter `{name}`",
            hint=f"there are {there}; `pip install 'aquac[otel]'` brings otlp over http",
        )
    try:
        made: SpanExporter = known[entry].load()()
    except Exception as error:  # somebody else's code, which says itself what it lacks
        raise CommandError(f"OTEL_TRACES_EXPORTER: the exporter `{name}` does not start: {error}") from error
    return made


def _otlp(environment: Mapping[str, str]) -> str:
    """Name of the exporter for the protocol that is asked for."""
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environment.get(variable)
        if protocol:
            if protocol not in ("http/protobuf", "grpc"):
                raise CommandError(f"{variable}: `{protocol[:80]}` is not http/protobuf or grpc")
            return "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    return "otlp_proto_http"
