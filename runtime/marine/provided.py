"""A Wasm service behind the services of a peer: arguments and context of a call in, its result out.

Used for `avm run --service NAME=module.wasm`. Calls run in threads, so that a module at work does not hold up the peer.
Errors: ServiceFileError while it is opened, also where the modules and the Aqua declaration disagree; ServiceError from calls.
Source: nox:particle-services/src/app_services.rs
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from runtime.conversion import arguments_of, results_of, type_text
from runtime.python_services import ServiceFileError
from runtime.services.registry import UNIT, ServiceError

from .call_parameters import CallParameters, CallTetraplet, ParticleParameters
from .config import ConfigError
from .errors import CallError, LoadError
from .files import service_config
from .host import LogRecord, Service
from .itypes import BOOL, BYTES, STRING, ArrayOf, IType, RecordOf

if TYPE_CHECKING:
    from runtime.conversion import Type
    from runtime.python_services import Declaration
    from runtime.services.registry import CallContext, Handler

    from .interface_types import FunctionType

log = logging.getLogger("runtime.marine")

_LEVELS: Final = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO}


def load_wasm_service(
    path: str, declaration: Declaration | None, *, timeout_ms: float | None = None
) -> dict[str, Handler]:
    """Handlers of the service of a module or configuration. Raises ServiceFileError."""
    try:
        config = replace(service_config([path]), timeout_ms=timeout_ms)
        service = Service(config, log=_log)
    except (ConfigError, LoadError) as error:
        raise ServiceFileError(str(error) if path in str(error) else f"{path}: {error}") from error
    functions = service.interface().functions
    if declaration is None:
        return {name: _handler(service, name) for name in functions}
    for name, arrow in declaration.functions.items():
        found = functions.get(name)
        if found is None:
            raise ServiceFileError(
                f"{path}: service {declaration.name} declares `{name}: {type_text(arrow)}`, but the module has no `{name}`"
            )
        if not _fits(arrow, found.signature):
            shown = ", ".join(f"{argument}: {kind.text}" for argument, kind in found.signature.arguments)
            answer = ", ".join(kind.text for kind in found.signature.results) or "()"
            raise ServiceFileError(
                f"{path}: service {declaration.name} declares `{name}: {type_text(arrow)}`, "
                f"but the module has `{name}({shown}) -> {answer}`"
            )
    return {name: _handler(service, name) for name in declaration.functions}


def _log(record: LogRecord) -> None:
    log.log(_LEVELS.get(record.level, logging.DEBUG), "%s: %s", record.module, record.message)


def _fits(arrow: Type, signature: FunctionType) -> bool:
    """Whether a module's function can serve a declaration."""
    declared = [kind for _, kind in arguments_of(arrow["domain"])]
    results = results_of(arrow["codomain"])
    if len(declared) != len(signature.arguments) or len(results) != len(signature.results):
        return False
    pairs = [*zip(declared, signature.argument_types, strict=True), *zip(results, signature.results, strict=True)]
    return all(_same(schema, kind) for schema, kind in pairs)


def _same(schema: Type, kind: IType) -> bool:
    match schema["tag"]:
        case "scalar":
            name = schema["name"]
            if kind in (BOOL, STRING):
                return bool(name == kind.text)
            number = not isinstance(kind, ArrayOf | RecordOf) and kind is not BYTES
            return number and name == kind.text
        case "array" | "option":
            if kind is BYTES:
                return bool(schema["type"] == {"tag": "scalar", "name": "u8"})
            return isinstance(kind, ArrayOf) and _same(schema["type"], kind.element)
        case "struct":
            if not isinstance(kind, RecordOf) or schema["fields"].keys() != {name for name, _ in kind.fields}:
                return False
            return all(_same(schema["fields"][name], field) for name, field in kind.fields)
        case _:
            return True  # a value of any type: the call itself will tell


def call_parameters(context: CallContext, creator: str) -> CallParameters:
    """What the modules are told about a call of a particle. `creator`: the owner of the service."""
    particle = context.particle
    return CallParameters(
        ParticleParameters(
            particle.id, particle.init_peer_id, particle.timestamp, particle.ttl, particle.script, particle.signature
        ),
        context.service_id,
        creator,
        context.host_id,
        context.scope_id,
        tuple(tuple(CallTetraplet(*item) for item in group) for group in context.tetraplets),
    )


def _handler(service: Service, name: str) -> Handler:
    function = service.interface().functions[name]
    has_result = bool(function.signature.results)

    async def handler(values: list[Any], context: CallContext) -> Any:
        import trio

        parameters = call_parameters(context, context.host_id)
        try:
            value = await trio.to_thread.run_sync(service.call, name, values, parameters)
        except CallError as error:
            raise ServiceError(f"Error: {error}") from error
        return value if has_result else UNIT

    return handler
