"""The module SDK: a typed subset of Python, compiled to Marine modules.

    prelude                       names programs import; they also run as plain Python
    declare → check → emit        source → typed tree → LLVM assembly, with `library` as far as it is used
    linker                        LLVM's object → core module
    build                         all of it, with the interface section

Programs write `from runtime.marine.sdk import export, log, u32`. Nothing heavy is imported before `build` is wanted.
"""

from __future__ import annotations

from .prelude import (
    CallParameters as CallParameters,
)
from .prelude import (
    MountedBinaryResult as MountedBinaryResult,
)
from .prelude import (
    Particle as Particle,
)
from .prelude import (
    Tetraplet as Tetraplet,
)
from .prelude import call_parameters as call_parameters
from .prelude import export as export
from .prelude import f32 as f32
from .prelude import f64 as f64
from .prelude import i8 as i8
from .prelude import i16 as i16
from .prelude import i32 as i32
from .prelude import i64 as i64
from .prelude import log as log
from .prelude import provide as provide
from .prelude import s8 as s8
from .prelude import s16 as s16
from .prelude import s32 as s32
from .prelude import s64 as s64
from .prelude import service as service
from .prelude import set_call_parameters as set_call_parameters
from .prelude import start as start
from .prelude import u8 as u8
from .prelude import u16 as u16
from .prelude import u32 as u32
from .prelude import u64 as u64
from .prelude import wrapping_add as wrapping_add
from .prelude import wrapping_mul as wrapping_mul
from .prelude import wrapping_sub as wrapping_sub
