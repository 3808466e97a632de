"""Compiling the kernels with LLVM, which `library` has done when no kept object fits, and placing objects that `elf` does not know.

Errors: ImportError without llvmlite, KernelError, and what LLVM raises.
"""

from __future__ import annotations

import platform
from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import elf
from .library import VM, Signatures

if TYPE_CHECKING:
    from .library import Bundle


def kernel_modules(bundle: Bundle = VM) -> list[Any]:
    """Those of a bundle that it exports functions of, in their order."""
    return [import_module(name) for name in bundle.modules]


def signatures(modules: list[Any]) -> Signatures:
    """What the modules export."""
    return {
        name: [kind for parameter, kind in getattr(module, name).__annotations__.items() if parameter != "return"]
        for module in modules
        for name in module.EXPORTS
    }


def assembly(bundle: Bundle = VM) -> str:
    """LLVM assembly of all kernels, before optimisation."""
    from .kernel_language import Kernels

    kernels = Kernels()
    for name in bundle.shared:
        kernels.add(import_module(name), exported=False)
    for module in kernel_modules(bundle):
        kernels.add(module)
    return kernels.text()


def compile_all(bundle: Bundle = VM) -> tuple[bytes, Signatures]:
    """Object code of all kernels for this processor."""
    llvm, machine = host()
    return optimised(llvm, machine, assembly(bundle)), signatures(kernel_modules(bundle))


def host() -> tuple[Any, Any]:
    """LLVM, and its description of this processor."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    # LLVM puts each section where there is room, which may be far from the others, between the address spaces of Wasm memories; it
    # ends the process when they cannot reach each other. `elf` keeps them together.
    reaches_all = "static" if platform.machine().lower() in ("x86_64", "amd64") else "default"
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic" if elf.supported() else reaches_all,
        codemodel="small" if elf.supported() else "jitdefault",
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
