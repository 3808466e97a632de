"""A Wasm service behind the services of a peer: arguments and context of a call in, its result out.

Used for `avm run --service NAME=module.wasm`. A call runs in a thread, so that a module at work does not hold up the peer; its
cancellation stops the module. Further calls wait here: a thread for each would be what a stranger can ask for without end.
Errors: ServiceFileError while it is opened, also where the modules and the Aqua declaration disagree; ServiceError from calls.
Source: nox:particle-services/src/app_services.rs
"""

from __future__ import annotations

import logging
from contextlib import suppress
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
from .limits import STOP_GRACE_S

if TYPE_CHECKING:
    from concurrent.futures import Future

    import trio

    from runtime.conversion import Type
    from runtime.python_services import Declaration
    from runtime.services.registry import CallContext, Handler

    from .calls import PendingCall
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
    handlers = _handlers(service)
    functions = service.interface().functions
    if declaration is None:
        return handlers
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
    return {name: handlers[name] for name in declaration.functions}


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


def _handlers(service: Service) -> dict[str, Handler]:
    import trio

    turn = trio.Lock()
    functions = service.interface().functions
    return {name: _handler(service, turn, name, found.signature) for name, found in functions.items()}


def _handler(service: Service, turn: trio.Lock, name: str, signature: FunctionType) -> Handler:
    async def handler(values: list[Any], context: CallContext) -> Any:
        parameters = call_parameters(context, context.host_id)
        async with turn:
            try:
                value = await finished(service.submit(name, values, parameters))
            except CallError as error:
                raise ServiceError(f"Error: {error}") from error
        return value if signature.results else UNIT

    return handler


async def finished(call: PendingCall) -> Any:
    """The result of a pending call. Cancelled, it stops the call and waits for its end, for a moment at most."""
    import trio

    token, done = trio.lowlevel.current_trio_token(), trio.Event()

    def wake(_call: Future[Any]) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(done.set)

    call.add_done_callback(wake)
    try:
        await done.wait()
    except BaseException:
        call.stop()
        with trio.CancelScope(deadline=trio.current_time() + STOP_GRACE_S, shield=True):
            await done.wait()
        raise
    return call.result()
