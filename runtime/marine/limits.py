"""Bounds of the Wasm host. Those of the reference keep its value; the others protect the host process.

Source: marine:core, nox:crates/server-config (defaults); this project for the rest
"""

from __future__ import annotations

from typing import Final

WASM_STACK_BYTES: Final = 2 << 20
"""Stack of one module, as in the reference. Every module on a call chain can use as much."""

NATIVE_STACK_BYTES: Final = 8 << 20
"""Stack on top of that for the host's own code between the modules."""

MODULES_MAX: Final = 64
"""Modules of one service: more would need a thread stack beyond 136 MiB."""

TABLE_ELEMENTS_MAX: Final = 1 << 20
"""Elements of one table, 8 bytes each. A service with a memory limit pays for what its tables may grow to, so there none grows
beyond the largest at the start."""

TABLES_MAX: Final = 16
"""Tables of one module. Compilers make one."""

CALL_DEPTH_MAX: Final = MODULES_MAX
"""Imported functions that are at work within each other in one call. Modules only call earlier ones, but an adapter may call its own
module, and an allocator another one whose answer needs memory; in Python such calls would use up what it can nest."""

LIFT_BYTES_MAX: Final = 256 << 20
"""What one top-level call may copy out of module memories, counted in bytes and elements. Pointers of a result may
overlap, so that a small memory can stand for a value of any size."""

ELEMENT_BYTES: Final = 32
"""What an element of an array is charged on top of its bytes: the reference to it, and most of a number, in the host."""

RECORD_BYTES: Final = 120
"""What a record is charged on top of its bytes: it becomes a tuple, and an object with names when it is a result."""

FIELD_BYTES: Final = 32
"""What a field of a record is charged on top of its bytes."""

SHAPE_PAIRS_MAX: Final = 10_000
"""Pairs of records that a comparison of two types looks at; types that differ no earlier are held to be different."""

INTERFACE_BYTES_MAX: Final = 1 << 20
"""Size of an interface section. Sections of real modules take some kilobytes, and their tables thirty times as much."""

INTERFACE_FUNCTIONS_MAX: Final = 1 << 16
"""Exported and imported functions of a module together: entries of a section may combine to more than it has bytes."""

DEBUG_CHARACTERS_MAX: Final = 1 << 16
"""How much of a value an error message shows."""

TYPE_LEVELS_MAX: Final = 1024
"""How deep a type of a module may be, where an array is a level and a record two, as the reference counts; a recursive record
exceeds any bound."""

NATIVE_DEPTH_MAX: Final = 100
"""Arrays and records within each other in a type that native adapters handle: they recurse over types. Others run in Python."""

NATIVE_ARENA_BYTES_MAX: Final = 1 << 31
"""Address space of a service for values on their way; one whose LIFT_BYTES_MAX would need more runs in Python. Only what a call touches
takes memory."""

NATIVE_KEPT_BYTES: Final = 4 << 20
"""What of that memory a service keeps between two calls."""

ARRAY_DEPTH_MAX: Final = 128
"""Arrays within arrays in one type."""

MODULE_BYTES_MAX: Final = 256 << 20
"""Size of one module file."""

TICK_MS: Final = 10
"""How exact a deadline is. The clock runs only while a call with a deadline does."""

ASK_TICKS: Final = 10
"""How often Wasm code asks the host whether it may go on, at least: every tick would cost too much."""

STOP_GRACE_S: Final = 1.0
"""How long who has stopped a call waits for its end before leaving it alone: something in the host may hold it up."""

LOG_RECORDS_MAX: Final = 10_000
"""Log records of one call, or of the start of a service; later ones are dropped, which the last one says."""

LOG_BYTES_MAX: Final = 16 << 20
"""The same in bytes."""

POLL_SUBSCRIPTIONS_MAX: Final = 1024
"""Events that a module can wait for at once."""

MOUNTED_OUTPUT_BYTES_MAX: Final = 64 << 20
"""Standard output or error of one run of a mounted binary; a longer one ends the run."""

CODE_CACHE_ARTIFACTS: Final = 64
"""Modules whose compiled form stays in this process."""

CODE_CACHE_BYTES: Final = 256 << 20
"""Sizes of those modules together; the machine code of a module takes some twice as much as the module."""

KEPT_MODULES_MAX: Final = 256
"""Compiled modules in the user's cache folder; the oldest go."""

ARCHIVE_BYTES_MAX: Final = 512 << 20
"""A packed service, and all its files together."""

ARCHIVE_ENTRIES_MAX: Final = MODULES_MAX + 8
"""Entries of a packed service: its modules, two descriptions, and folders that other tools add."""

ARCHIVE_NAME_LENGTH_MAX: Final = 96
"""Letters of the name of an entry; a content id in base32 takes 59 of them."""

ARCHIVE_CONFIG_BYTES_MAX: Final = 1 << 20
"""The description within a packed service."""

SDK_STACK_BYTES: Final = 64 << 10
"""Stack in memory of a module the SDK makes, if it has one: what does not fit into Wasm's own locals."""

SDK_SOURCE_BYTES_MAX: Final = 4 << 20
"""Source of a module the SDK compiles."""
