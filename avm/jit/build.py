"""Compiling the kernels with LLVM, which `library` has done when no kept object fits, and placing objects that `elf` does not know.

Errors: ImportError without llvmlite, KernelError, and what LLVM raises.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

MODULES: Final = (
    "hashing",
    "json_text",
    "air_text",
    "heap",
    "archive",
    "layout",
    "sliders",
    "fold_lores",
    "variables",
    "streams",
    "stores",
    "lenses",
    "canon_maps",
    "operands",
    "call_results",
    "calls",
    "instructions",
    "folds",
    "machine",
)
"""Kernel modules, in the order in which they may call each other: a module calls those before it."""

Signatures = dict[str, list[str]]
"""Exported kernel → types of its parameters."""


def kernel_modules() -> list[Any]:
    """All of them."""
    return [import_module(f"avm.jit.kernels.{name}") for name in MODULES]


def signatures(modules: list[Any]) -> Signatures:
    """What the modules export."""
    return {
        name: [kind for parameter, kind in getattr(module, name).__annotations__.items() if parameter != "return"]
        for module in modules
        for name in module.EXPORTS
    }


def assembly() -> str:
    """LLVM assembly of all kernels, before optimisation."""
    from .kernel_language import Kernels

    kernels = Kernels()
    for module in kernel_modules():
        kernels.add(module)
    return kernels.text()


def compile_all() -> tuple[bytes, Signatures]:
    """Object code of all kernels for this processor."""
    llvm, machine = host()
    return optimised(llvm, machine, assembly()), signatures(kernel_modules())


def host() -> tuple[Any, Any]:
    """LLVM, and its description of this processor."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="small",
        jit=True,
    )
    return llvm, machine


def optimised(llvm: Any, machine: Any, text: str) -> bytes:
    """Object code of LLVM assembly."""
    parsed = llvm.parse_assembly(text)
    parsed.verify()
    # the second level takes a quarter longer and gains nothing: what it would inline, `kernel_language` has
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.loop_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(parsed, builder)
    return bytes(machine.emit_object(parsed))


def placed(code: bytes, names: list[str]) -> tuple[Any, dict[str, int]]:
    """An object placed by LLVM: what keeps it alive, and the addresses of its functions."""
    llvm, machine = host()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine, {name: engine.get_function_address(name) for name in names}
