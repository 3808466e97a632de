"""Every named limit of the interpreter's interface, with its unit and the reason for its value.

Source: aquavm:crates/air-lib/interpreter-interface/src/run_args_memory_limits.rs for the three size limits.
"""

from __future__ import annotations

from typing import Final

MIB: Final = 1 << 20

AIR_SIZE_LIMIT: Final = 16 * MIB
"""Default limit of the script, bytes of UTF-8."""

PARTICLE_SIZE_LIMIT: Final = 64 * MIB
"""Default limit of the current data, bytes of the envelope."""

CALL_RESULT_SIZE_LIMIT: Final = 32 * MIB
"""Default limit of one service result, bytes of UTF-8."""

RUN_TEXT_MAX: Final = 512 * MIB
"""Characters of JSON text and error messages one run may make: eight of the largest particles."""

RUN_STEPS_MAX: Final = 20_000_000
"""Instructions in the bodies of folds that one run may go through. Folds inside folds take exponential time, so without a
bound a script of a few hundred bytes would keep an interpreter, and with it a peer, busy for ever."""

JSON_DEPTH_MAX: Final = 127
"""Deepest nesting of arrays and objects that a JSON value may have; the reference refuses the 128th level."""

MESSAGEPACK_DEPTH_MAX: Final = 1023
"""Deepest nesting of MessagePack containers that is read or skipped, as `rmp-serde`."""

REQUEST_ID_MAX: Final = 2**32 - 1
"""Largest id of a call request; ids are u32 and never used twice for a particle and peer."""

PROGRAM_CACHE_ENTRIES: Final = 256
"""Parsed scripts kept by one `Avm`, least recently used first out."""

PROGRAM_CACHE_BYTES: Final = 16 * MIB
"""Total script text whose programs one `Avm` keeps."""

DATA_CACHE_ENTRIES: Final = 64
"""Decoded outputs kept by one `Avm`, found again when a host hands the same bytes back as previous data."""

DATA_CACHE_BYTES: Final = 32 * MIB
"""Total size of the outputs whose decoded form one `Avm` keeps."""

CID_CHARS_MAX: Final = 1024
"""Characters of a CID: the longest that means something, 64 bytes of digest in the digits of base 2, has some 600. Reading other bases
takes time quadratic in the length, so without a bound one particle would keep an interpreter busy for hours."""

SHOWN_BYTES_MAX: Final = 128
"""Bytes of a malformed key or signature that a message shows in base58, which takes quadratic time as well; right ones have 33 and 65."""

VERIFIED_CID_ENTRIES: Final = 1 << 15
"""Store entries whose content is known to match their CID; the cache is emptied when it is full."""

VERIFIED_CID_TEXT_MAX: Final = 2048
"""Longer values are hashed each time (6 GB/s) instead of being kept alive by the cache."""

VERIFIED_SIGNATURE_ENTRIES: Final = 1 << 13
"""Known good (key, message, signature) triples, kept as digests."""

ARGUMENT_HASH_ENTRIES: Final = 1 << 13
"""Argument lists whose CIDs are kept between runs."""

ARGUMENT_HASH_TEXT_MAX: Final = 1024
"""Longer argument lists are hashed each time, to bound the memory of those kept."""

KEY_CACHE_ENTRIES: Final = 1 << 12
"""Decoded public keys and key pairs."""

NATIVE_WORK_BYTES: Final = 64 << 10
"""Work one `Avm` does in Python, in bytes of scripts and data read, before it has native code loaded: loading takes about as long."""

RUN_WORK_BYTES: Final = 512
"""What a run counts as beside its scripts and data, so that many small ones are work, too."""

DECLINED_MAX: Final = 4
"""Runs of one script that native code may decline before it is asked less often than it succeeds."""
