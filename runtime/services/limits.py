"""Bounds of what a host keeps for programs: modules, services, workers, spells, files of particles.

The reference has none of these, but for `ERRORS_KEPT`, `LOGS_KEPT`, `MESSAGES_KEPT` and `PERIOD_SEC_MAX`, which are its
own.

A host's management may add modules and services, everybody may use the vault and call what is there.
"""

from __future__ import annotations

from typing import Final

NAME_BYTES_MAX: Final = 200
"""UTF-8 bytes of the name of a module, which is the name of a folder, and of an alias."""

MODULES_STORED_MAX: Final = 10_000
"""Modules of one host."""

MODULES_BYTES_MAX: Final = 16 << 30
"""All module files of one host."""

BLUEPRINTS_MAX: Final = 10_000
"""Blueprints of one host."""

BLUEPRINT_BYTES_MAX: Final = 64 << 10
"""The canonical text of one blueprint."""

SERVICES_MAX: Final = 1000
"""Services of one host; each is at least one Wasm memory and some threads while it is called."""

SHORT_VALUE_SIZE: Final = 32 << 10
"""Bytes of arguments, characters of a result or values in it, up to which a call is answered on the event loop of a peer. Longer ones
take milliseconds, up to seconds, for which nobody else would be served."""

LONG_CALLS_MAX: Final = 2
"""Threads of a peer for calls with more than that."""

CLIENT_SERVICES_MAX: Final = 100
"""Wasm services that the programs of one client put into it."""

ALIASES_MAX: Final = 64
"""Aliases of one service."""

SERVICE_MEMORY_BYTES_MAX: Final = (4 << 30) - 1
"""Memory of all modules of one service, unless the host says otherwise; the reference's default."""

SERVICE_START_MS_MAX: Final = 60_000
"""How long each module of a service may take to start. A call is bound by the life of its particle."""

WAITING_CALLS_MAX: Final = 256
"""Calls that wait for one service while another is under way."""

STATS_KEPT: Final = 5
"""Last observations of a service that `stat.service_stat` shows, as in the reference."""

STATS_FUNCTIONS_MAX: Final = 1000
"""Functions of one service that are counted on their own."""

WORKERS_MAX: Final = 1000
"""Workers of one host."""

CU_IDS_MAX: Final = 1024
"""Compute units of one worker."""

SPELL_STORAGE_BYTES_MAX: Final = 64 << 20
"""Storage of one spell on disk: script, keys, log, errors, mailbox. A write beyond it is answered with an error."""

SPELLS_OPEN_MAX: Final = 128
"""Storages of spells that are held open, two files each; further ones are opened when they are used."""

MESSAGE_BYTES_MAX: Final = 1 << 20
"""One message for the mailbox of a spell, which everybody may send."""

ERRORS_KEPT: Final = 50
"""Particles of a spell whose errors are kept, the last ones."""

LOGS_KEPT: Final = 500
"""Entries in the log of a spell, the last ones."""

MESSAGES_KEPT: Final = 50
"""Messages in the mailbox of a spell, the last ones."""

PARTICLE_ERRORS_MAX: Final = 1000
"""Errors of one particle of a spell, the first ones."""

PERIOD_SEC_MAX: Final = 100 * 365 * 24 * 60 * 60
"""Longest period of a spell's clock, 100 years."""

SPELL_TTL_MS: Final = 120_000
"""Life of a particle that a spell starts; the reference's default."""

SPELL_PARTICLES_MAX: Final = 256
"""Living particles of one spell. Strangers start spells by connecting, and those of a host have no share to keep to."""

TRIGGERS_QUEUED_MAX: Final = 10_000
"""Runs of spells that wait until those before them have been started."""

WORKER_PERIOD_SEC: Final = 900
"""How often the spell `worker-spell` of an activated worker runs; the reference's default."""

PARTICLE_ID_LENGTH_MAX: Final = 128
"""Letters of a particle id that can have a vault: the id is part of the name of a folder."""

VAULT_FILE_BYTES_MAX: Final = 64 << 20
"""One file of a vault, put there or read."""

VAULT_FILES_MAX: Final = 1000
"""Files one particle may put into its vault."""

VAULT_BYTES_MAX: Final = 1 << 30
"""All that living particles have put into their vaults; a quarter of it for one particle."""

TOKENS_KEPT: Final = 1024
"""Tokens of particles that are not signed anew for every call."""
