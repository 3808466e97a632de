"""Functions LLVM calls by itself for numbers of 128 bits, which it makes of tests for overflow and of some loops.

They are part of every module's assembly; the linker drops those nothing calls. Each takes the address of its result, and numbers in two halves, the lower first.
"""

from __future__ import annotations

from typing import Final

_HEAD: Final = 'define hidden void @{name}(ptr %out, i64 %al, i64 %ah, {rest}) nounwind optsize "no-builtins" {{\n'

_MULTIPLY: Final = (
    _HEAD.format(name="__multi3", rest="i64 %bl, i64 %bh")
    + """\
  %a0 = and i64 %al, 4294967295
  %a1 = lshr i64 %al, 32
  %b0 = and i64 %bl, 4294967295
  %b1 = lshr i64 %bl, 32
  %p00 = mul i64 %a0, %b0
  %p01 = mul i64 %a0, %b1
  %p10 = mul i64 %a1, %b0
  %p11 = mul i64 %a1, %b1
  %c0 = lshr i64 %p00, 32
  %m0 = add i64 %p01, %c0
  %m0l = and i64 %m0, 4294967295
  %m0h = lshr i64 %m0, 32
  %m1 = add i64 %p10, %m0l
  %m1h = lshr i64 %m1, 32
  %m1s = shl i64 %m1, 32
  %p00l = and i64 %p00, 4294967295
  %low = or i64 %m1s, %p00l
  %h0 = add i64 %p11, %m0h
  %h1 = add i64 %h0, %m1h
  %x0 = mul i64 %al, %bh
  %x1 = mul i64 %ah, %bl
  %h2 = add i64 %h1, %x0
  %high = add i64 %h2, %x1
  store i64 %low, ptr %out, align 8
  %place = getelementptr i8, ptr %out, i32 8
  store i64 %high, ptr %place, align 8
  ret void
}
"""
)


def _shift(name: str, wide: str, low: str, high: str) -> str:
    """A shift by 0 to 127. `wide`: both halves by 64 or more; `low`, `high`: by less, from %n (below 64) and %m (63 minus that)."""
    return (
        _HEAD.format(name=name, rest="i32 %count")
        + f"""\
  %wide = icmp ugt i32 %count, 63
  %masked = and i32 %count, 63
  %n = zext i32 %masked to i64
  %m = xor i64 %n, 63
{low}{high}{wide}  %low = select i1 %wide, i64 %wl, i64 %nl
  %high = select i1 %wide, i64 %wh, i64 %nh
  store i64 %low, ptr %out, align 8
  %place = getelementptr i8, ptr %out, i32 8
  store i64 %high, ptr %place, align 8
  ret void
}}
"""
    )


_LEFT: Final = _shift(
    "__ashlti3",
    "  %wl = add i64 0, 0\n  %wh = shl i64 %al, %n\n",
    "  %nl = shl i64 %al, %n\n",
    "  %o = lshr i64 %al, 1\n  %p = lshr i64 %o, %m\n  %q = shl i64 %ah, %n\n  %nh = or i64 %q, %p\n",
)


def _right(name: str, shift: str, fill: str) -> str:
    return _shift(
        name,
        f"  %wl = {shift} i64 %ah, %n\n  %wh = {fill}\n",
        "  %o = shl i64 %ah, 1\n  %p = shl i64 %o, %m\n  %q = lshr i64 %al, %n\n  %nl = or i64 %q, %p\n",
        f"  %nh = {shift} i64 %ah, %n\n",
    )


HELPERS: Final = (
    _MULTIPLY + _LEFT + _right("__lshrti3", "lshr", "add i64 0, 0") + _right("__ashrti3", "ashr", "ashr i64 %ah, 63")
)
