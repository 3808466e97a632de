"""Names of the library that people use without importing them, and where they are declared.

Checking reads no files, so the names are written out here; a test compares them with the library.
"""

from __future__ import annotations

from typing import Final

_FILES: Final = {
    "@fluencelabs/aqua-lib/builtin.aqua": (
        "Argument Base58String Blueprint Bytes CID Console Contact Debug Dist Field FunctionSignature FunctionStat Hash "
        "IPLDBlueprint Info Interface Kademlia MemoryStat Module ModuleConfig ModuleWASIConfig Op Pairs Path Peer PeerId "
        "RecordType SeriesStat Service ServiceStat Sig SignResult Srv Stat StatResult Stats Vault"
    ),
    "@fluencelabs/aqua-lib/math.aqua": "Array Compare Math",
    "@fluencelabs/aqua-lib/workers.aqua": "CUID Worker",
    "@fluencelabs/aqua-lib/subnet.aqua": "Subnet SubnetResolveResult",
    "@fluencelabs/spell/spell_service.aqua": "Spell",
    "@fluencelabs/spell/api.aqua": "PeerSpell",
    "stdlib/json.aqua": "Json",
    "stdlib/vm.aqua": "Vm",
    "stdlib/connector.aqua": "Connector",
}

LIBRARY: Final = {name: path for path, names in _FILES.items() for name in names.split()}
"""Name → the import that brings it."""
