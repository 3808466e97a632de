"""The functions that the host offers to a module: logging, call parameters, mounted programs.

Each is offered in the namespace of every host API version; a module imports from one. Errors: what is raised here becomes a trap
of the module.
Source: marine:core/src/host_imports, marine/src/host_imports
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .artifact import HOST_NAMESPACES
from .call_parameters import lower
from .engine import CoreType
from .errors import ErrorClass, Fault, UnusableHomeError, access_fault
from .mounted import read_arguments, run_mounted, write_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .instance import Instance

LEVELS: Final = {1: "error", 2: "warn", 3: "info", 4: "debug", 5: "trace"}

_LOG: Final = CoreType("iiii", "")
_PARAMETERS: Final = CoreType("", "")
_MOUNTED: Final = CoreType("ii", "")


def host_functions(instance: Instance) -> Iterator[tuple[str, str, CoreType, Callable[..., Any]]]:
    """Namespace, name, signature and body of everything the module may import from the host."""
    config = instance.config
    for namespace in HOST_NAMESPACES:
        if config.logger_enabled:
            yield namespace, "log_utf8_string", _LOG, _log(instance)
        yield namespace, "get_call_parameters", _PARAMETERS, _get_call_parameters(instance, namespace)
        for name, path in config.mounted_binaries.items():
            yield namespace, name, _MOUNTED, _mounted(instance, path)


def _log(instance: Instance) -> Callable[..., None]:
    mask = instance.config.logging_mask

    def log_utf8_string(level: int, target: int, pointer: int, size: int) -> None:
        if target and not target & mask:
            return
        pointer, size = pointer & 0xFFFFFFFF, size & 0xFFFFFFFF
        view = instance.memory()
        if size and pointer + size > len(view):
            raise access_fault(pointer, size, len(view))
        if not instance.service.has_log or not instance.service.may_log(instance.name, size):
            return  # what is wrong with the call is so whether anybody listens or not
        try:
            message = str(view[pointer : pointer + size], "utf-8")
        except UnicodeDecodeError:
            return
        instance.service.emit(instance.name, LEVELS.get(level, "trace"), message)

    return log_utf8_string


def _set_result(instance: Instance, pointer: int) -> None:
    function = instance.core_by_name("set_result_ptr")
    if function is None or function.kind.parameters != "i" or function.kind.results:
        raise UnusableHomeError("set_result_ptr")
    function.variant("I")(pointer)


def _get_call_parameters(instance: Instance, namespace: str) -> Callable[[], None]:
    def get_call_parameters() -> None:
        _set_result(instance, lower(instance, namespace, instance.service.call_parameters))

    return get_call_parameters


def _mounted(instance: Instance, path: str) -> Callable[[int, int], None]:
    def run(pointer: int, count: int) -> None:
        view = instance.memory()
        if not len(view):
            raise Fault("memory `0` does not exist", ErrorClass.BOUNDS)
        arguments = read_arguments(view, len(view), pointer & 0xFFFFFFFF, count & 0xFFFFFFFF, instance.budget)
        service, inherit = instance.service, instance.config.inherit_environment
        left_ms = service.remaining_ms()
        timeout_s = None if left_ms is None else max(left_ms, 1) / 1000
        result = run_mounted(path, arguments, service.running, inherit=inherit, timeout_s=timeout_s)
        _set_result(instance, write_result(instance, result))

    return run
