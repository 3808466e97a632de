"""Putting an object file into memory and running it, without LLVM: a kept object is there in a few milliseconds.

Problem: importing llvmlite takes a tenth of a second and 50 MB, only to have it place an object that is compiled already.
Idea:    the objects are of one compiler and few kinds of relocations; those are applied here. All sections lie in one mapping,
         so that everything reaches everything; calls to the C library go through small jumps. The mapping is written first and made
         executable and read-only then.
Input:   x86-64 ELF objects from our own cache (see `avm.private_cache` for why they can be trusted). Output: addresses of their functions.
Errors:  ObjectError for what is not of that kind; OSError where the platform forbids such memory. LLVM places those.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = mmap.PAGESIZE
_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_RELOCATION: Final = struct.Struct("<QQq")
_IDENT: Final = b"\x7fELF\x02\x01\x01"
_RELOCATABLE: Final = 1
_X86_64: Final = 62
_SYMTAB, _RELA, _NOBITS = 2, 4, 8
_ALLOC: Final = 2
_JUMP: Final = b"\xff\x25\0\0\0\0"  # to the address behind it
_JUMP_BYTES: Final = 16
_R_64, _R_PC32, _R_PLT32 = 1, 2, 4
_EXTERNAL: Final = ("memcpy", "memmove", "memset", "memcmp", "bcmp")


class ObjectError(ValueError):
    """An object that is not of the kind that is placed here."""


def supported() -> bool:
    """Whether objects of this process are of that kind."""
    return (
        sys.platform.startswith("linux")
        and os.uname().machine == "x86_64"
        and struct.calcsize("P") == 8
        and sys.byteorder == "little"
    )


class Placed:
    """An object in memory; it stays there as long as this lives."""

    def __init__(self, code: bytes) -> None:
        """Place it. Raises ObjectError, OSError."""
        try:
            self._sections = list(_sections(code))
            places, size = self._layout()
            self._memory = mmap.mmap(-1, size, prot=mmap.PROT_READ | mmap.PROT_WRITE)
            self._base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
            for place, section in zip(places, self._sections, strict=True):
                if place >= 0 and section[1] != _NOBITS:
                    self._memory[place : place + section[5]] = code[section[4] : section[4] + section[5]]
            self.addresses = self._resolve(code, places)
        except (struct.error, IndexError, ValueError, OverflowError) as error:
            raise ObjectError(f"not an object of this kind: {error}") from None
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        if protect(self._base, size, mmap.PROT_READ | mmap.PROT_EXEC):
            raise OSError(ctypes.get_errno(), "memory cannot be made executable")

    def _layout(self) -> tuple[list[int], int]:
        """Place of each section that is loaded, -1 for others; size of all. The jumps come first."""
        at = len(_EXTERNAL) * _JUMP_BYTES
        places = []
        for section in self._sections:
            if not section[2] & _ALLOC:
                places.append(-1)
                continue
            alignment = max(section[8], 1)
            at = (at + alignment - 1) // alignment * alignment
            places.append(at)
            at += section[5]
        return places, (at + PAGE) // PAGE * PAGE

    def _resolve(self, code: bytes, places: list[int]) -> dict[str, int]:
        """Apply all relocations; addresses of the functions by name."""
        library = ctypes.CDLL(None)
        for number, name in enumerate(_EXTERNAL):
            address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
            assert address is not None
            start = number * _JUMP_BYTES
            self._memory[start : start + 14] = _JUMP + struct.pack("<Q", address)
        tables = [section for section in self._sections if section[1] == _SYMTAB]
        if len(tables) != 1:
            raise ObjectError("no table of symbols")
        (table,) = tables
        names = self._sections[table[6]][4]
        offsets: list[int | None] = []
        addresses = {}
        for number in range(table[5] // _SYMBOL.size):
            name_at, info, _, section, value, _ = _SYMBOL.unpack_from(code, table[4] + number * _SYMBOL.size)
            name = code[names + name_at : code.index(b"\0", names + name_at)].decode()
            if section == 0:
                offsets.append(_EXTERNAL.index(name) * _JUMP_BYTES if name in _EXTERNAL else None)
            elif section < len(places) and places[section] >= 0:
                offsets.append(places[section] + value)
                if info >> 4 == 1:
                    addresses[name] = self._base + places[section] + value
            else:
                offsets.append(None)
        for section in self._sections:
            if section[1] == _RELA and places[section[7]] >= 0:
                self._relocate(code, section, places[section[7]], offsets)
        return addresses

    def _relocate(self, code: bytes, section: tuple[int, ...], place: int, offsets: list[int | None]) -> None:
        for number in range(section[5] // _RELOCATION.size):
            offset, info, addend = _RELOCATION.unpack_from(code, section[4] + number * _RELOCATION.size)
            target = offsets[info >> 32]
            kind = info & 0xFFFFFFFF
            if target is None:
                raise ObjectError(f"symbol {info >> 32} is not known")
            at = place + offset
            if kind in (_R_PC32, _R_PLT32):
                self._memory[at : at + 4] = struct.pack("<i", target + addend - at)
            elif kind == _R_64:
                self._memory[at : at + 8] = struct.pack("<Q", self._base + target + addend)
            else:
                raise ObjectError(f"relocation of kind {kind}")


def _sections(code: bytes) -> Iterator[tuple[int, ...]]:
    """Headers of all sections, after the checks that it is an object."""
    header = _HEADER.unpack_from(code)
    if not header[0].startswith(_IDENT) or header[1] != _RELOCATABLE or header[2] != _X86_64:
        raise ObjectError("not an x86-64 object")
    for number in range(header[12]):
        section = _SECTION.unpack_from(code, header[6] + number * header[11])
        if section[1] != _NOBITS and section[4] + section[5] > len(code):
            raise ObjectError("a section lies outside")
        yield section
