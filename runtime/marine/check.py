"""Look at the modules of a service without running them: would they load, and would their adapters fail?

Output: findings in load order. An `error` would end the load; a `warning` is a function that can only fail when it is called, or that
the checked interpreter will run. Errors: none, they are the output.
Source: marine:core/src/module/marine_module.rs (the order of a load)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .artifact import HOST_NAMESPACES, Artifact, load_artifact
from .engine import CoreType
from .errors import LoadError
from .files import read_module
from .instance import core_import_type
from .itypes import IType, same_shapes
from .limits import MODULES_MAX
from .verify import LETTER_TYPES, is_well_typed

if TYPE_CHECKING:
    from pathlib import Path

    from .config import ModuleConfig, ServiceConfig
    from .interface import Interface

WASI = "wasi_snapshot_preview1"
WASI_FUNCTIONS = {
    "args_get": ("ii", "i"),
    "args_sizes_get": ("ii", "i"),
    "clock_res_get": ("ii", "i"),
    "clock_time_get": ("ili", "i"),
    "environ_get": ("ii", "i"),
    "environ_sizes_get": ("ii", "i"),
    "fd_advise": ("illi", "i"),
    "fd_allocate": ("ill", "i"),
    "fd_close": ("i", "i"),
    "fd_datasync": ("i", "i"),
    "fd_fdstat_get": ("ii", "i"),
    "fd_fdstat_set_flags": ("ii", "i"),
    "fd_fdstat_set_rights": ("ill", "i"),
    "fd_filestat_get": ("ii", "i"),
    "fd_filestat_set_size": ("il", "i"),
    "fd_filestat_set_times": ("illi", "i"),
    "fd_pread": ("iiili", "i"),
    "fd_prestat_dir_name": ("iii", "i"),
    "fd_prestat_get": ("ii", "i"),
    "fd_pwrite": ("iiili", "i"),
    "fd_read": ("iiii", "i"),
    "fd_readdir": ("iiili", "i"),
    "fd_renumber": ("ii", "i"),
    "fd_seek": ("ilii", "i"),
    "fd_sync": ("i", "i"),
    "fd_tell": ("ii", "i"),
    "fd_write": ("iiii", "i"),
    "path_create_directory": ("iii", "i"),
    "path_filestat_get": ("iiiii", "i"),
    "path_filestat_set_times": ("iiiilli", "i"),
    "path_link": ("iiiiiii", "i"),
    "path_open": ("iiiiillii", "i"),
    "path_readlink": ("iiiiii", "i"),
    "path_remove_directory": ("iii", "i"),
    "path_rename": ("iiiiii", "i"),
    "path_symlink": ("iiiii", "i"),
    "path_unlink_file": ("iii", "i"),
    "poll_oneoff": ("iiii", "i"),
    "proc_exit": ("i", ""),
    "proc_raise": ("i", "i"),
    "random_get": ("ii", "i"),
    "sched_yield": ("", "i"),
    "sock_accept": ("iii", "i"),
    "sock_recv": ("iiiiii", "i"),
    "sock_send": ("iiiii", "i"),
    "sock_shutdown": ("ii", "i"),
}
"""Functions of WASI that every module may import, with their signatures as letters of `CoreType`."""


class Finding(NamedTuple):
    """Something about a module. severity: error or warning."""

    module: str
    severity: str
    message: str


def check_service(config: ServiceConfig, *, cache: Path | None = None, here: bool = False) -> list[Finding]:
    """Findings about all modules of a service. here: it is to run on this machine, so its folders must be there."""
    out: list[Finding] = []
    count = len(config.modules)
    if count > MODULES_MAX:
        out.append(Finding(config.facade.name, "error", f"a service has at most {MODULES_MAX} modules, not {count}"))
    loaded: dict[str, Artifact] = {}
    for module in config.modules:
        try:
            artifact = load_artifact(module.name, read_module(module), cache=cache)
        except LoadError as error:
            out.append(Finding(module.name, "error", str(error)))
            continue
        out += [
            Finding(module.name, "error", f"the folder {path} mapped to {alias} does not exist")
            for alias, path in module.mapped_dirs.items()
            if here and not path.is_dir()
        ]
        out += _Check(module, artifact, loaded).findings()
        if module.name in loaded:
            text = f"module with name '{module.name}' already loaded into Marine, please specify another name"
            out.append(Finding(module.name, "error", text))
        loaded[module.name] = artifact
    return out


class _Check:
    """One module, given those loaded before it."""

    def __init__(self, config: ModuleConfig, artifact: Artifact, loaded: dict[str, Artifact]) -> None:
        self.config = config
        self.artifact = artifact
        self.interface: Interface = artifact.interface
        self.loaded = loaded
        self.out: list[Finding] = []

    def error(self, text: str) -> None:
        self.out.append(Finding(self.config.name, "error", text))

    def warn(self, text: str) -> None:
        self.out.append(Finding(self.config.name, "warning", text))

    def findings(self) -> list[Finding]:
        if self.interface.imports_problem is not None:
            self.error(self.interface.imports_problem)
        self.core_imports()
        for export in self.interface.exports:
            if export.name not in self.artifact.core_types:
                self.error(f"export not found: {export.name}")
        for called in self.interface.called:
            other = self.loaded.get(called.namespace)
            if other is None:
                self.error(f"module with name '{called.namespace}' isn't loaded into Marine")
            elif called.problem:
                self.error(called.problem)
            elif called.name not in other.interface.functions:
                self.error(f"module '{called.namespace}' doesn't have function with name {called.name}")
            elif called.declared is None or not self.agrees(called.namespace, called.name, called.declared):
                self.warn(f"`{called.namespace}.{called.name}` is declared with another signature than it has")
        if self.artifact.problem is not None:
            self.error(self.artifact.problem)
        for function in self.interface.functions.values():
            signature = function.signature
            if len(signature.results) > 1:
                self.warn(
                    f"function `{function.name}` has {len(signature.results)} results, at most one can be returned"
                )
            if not self.is_well_typed(function.body, signature.argument_types, signature.results):
                self.warn(f"the adapter of function `{function.name}` does not fit its signature")
        for imported in self.interface.imports:
            kind = core_import_type(imported.signature)
            if kind is None:
                self.error(f"import `{imported.namespace}.{imported.name}` has a signature that core Wasm cannot have")
            elif not self.is_well_typed(imported.body, _kinds(kind.parameters), _kinds(kind.results)):
                self.warn(f"the adapter of import `{imported.namespace}.{imported.name}` does not fit its signature")
        return self.out

    def agrees(self, namespace: str, name: str, declared: Any) -> bool:
        actual = self.loaded[namespace].interface.functions[name].signature
        return same_shapes(declared.argument_types, actual.argument_types) and same_shapes(
            declared.results, actual.results
        )

    def core_imports(self) -> None:
        """Every core import must be served by somebody."""
        served = {(one.namespace, one.name): core_import_type(one.signature) for one in self.interface.imports}
        host = {"get_call_parameters": CoreType("", "")}
        if self.config.logger_enabled:
            host["log_utf8_string"] = CoreType("iiii", "")
        host |= dict.fromkeys(self.config.mounted_binaries, CoreType("ii", ""))
        for item in self.artifact.core.imports:
            place = f"`{item.module}.{item.name}`"
            given: CoreType | None
            if item.module == WASI and item.name in WASI_FUNCTIONS:
                given = CoreType(*WASI_FUNCTIONS[item.name])
            elif item.module in HOST_NAMESPACES:
                given = host.get(item.name)
                if given is None:
                    hint = "logging is off" if item.name == "log_utf8_string" else "no binary of this name is mounted"
                    self.error(f"import {place} is not provided: {hint}")
                    continue
            else:
                given = served.get((item.module, item.name))
            if given is None:
                self.error(f"import {place} is not provided")
            elif item.letters != (given.parameters, given.results):
                self.error(f"import {place} has another core signature than what is provided")

    def is_well_typed(self, body: Any, arguments: tuple[IType, ...], results: tuple[IType, ...]) -> bool:
        return is_well_typed(body, arguments, results, self.interface.tables, self.signature)

    def signature(self, number: int) -> tuple[tuple[IType, ...], tuple[IType, ...]] | None:
        if number < len(self.interface.exports):
            kind = self.artifact.core_types.get(self.interface.exports[number].name)
            return None if kind is None else (_kinds(kind.parameters), _kinds(kind.results))
        at = number - len(self.interface.exports)
        declared = self.interface.called[at].declared if at < len(self.interface.called) else None
        return None if declared is None else (declared.argument_types, declared.results)


def _kinds(letters: str) -> tuple[IType, ...]:
    return tuple(LETTER_TYPES[letter] for letter in letters)
