"""`stat`: memory and calls of the Wasm services of the caller's scope.

Source: nox:particle-builtins/src/builtins.rs, crates/peer-metrics/src/services_metrics/builtin.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .arguments import STRING, Arguments

if TYPE_CHECKING:
    from .hosted import HostedServices
    from .registry import CallContext, Handler


def functions(hosted: HostedServices) -> dict[str, Handler]:
    """The table."""

    async def service_memory(values: list[Any], context: CallContext) -> Any:
        name = Arguments(values).next("service_id", STRING)
        return await hosted.memory(hosted.get(context.scope_id, context.particle.id, name))

    def service_stat(values: list[Any], context: CallContext) -> Any:
        name = Arguments(values).next("service_id", STRING)
        service = hosted.get(context.scope_id, context.particle.id, name)
        if not (service.total.succeeded or service.total.failed):
            text = f"No stats were collected for the `{service.id}` service"
            return {"status": False, "error": text, "result": []}
        of_functions = [{"name": known, "stats": stats.to_json()} for known, stats in service.functions.items()]
        result = {"total_stats": service.total.to_json(), "functions_stats": of_functions}
        return {"status": True, "error": "", "result": [result]}

    return {"service_memory": service_memory, "service_stat": service_stat}
