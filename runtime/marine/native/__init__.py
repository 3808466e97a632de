"""Native adapters: typed values between modules without Python. See `docs/marine-native.md`.

    kernels/      what is compiled: a walk over adapters, values in and out of memories, JSON text
    library       the compiled form, if there is one
    program       an adapter as words for the walk
    service       words and arena of a running service; calls; what failed, in words

Nothing here is imported before a service is made.
"""
