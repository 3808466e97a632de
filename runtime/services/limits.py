"""Bounds of what a host keeps for programs: modules, services, files of particles. The reference has none of these.

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
