"""The library that ships with the compiler: it compiles, every function of it can be called, and no function of a peer is missing."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

import aquac
from aquac.project.link import load
from aquac.project.stdlib import stdlib_folder, stdlib_path
from aquac.semantics.library_names import LIBRARY
from aquac.syntax import ast

FOLDER = Path(stdlib_folder())
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.aqua"))

PEER_FUNCTIONS = {
    "op": "noop array array_length concat concat_strings identity string_to_b58 string_from_b58 bytes_to_b58 bytes_from_b58 "
    "sha256_string",
    "math": "add sub mul fmul div rem pow log",
    "cmp": "gt gte lt lte cmp",
    "array": "sum dedup intersect diff sdiff length slice",
    "json": "obj put puts obj_pairs puts_pairs parse stringify",
    "debug": "stringify",
    "peer": "identify timestamp_ms timestamp_sec timeout is_connected connect get_contact",
    "kad": "neighborhood neigh_with_addrs merge",
    "srv": "create remove list info get_interface add_alias resolve_alias resolve_alias_opt",
    "dist": "make_module_config default_module_config load_module_config add_module add_module_from_vault "
    "add_module_bytes_from_vault make_blueprint load_blueprint add_blueprint list_modules get_module_interface "
    "list_blueprints get_blueprint",
    "sig": "get_peer_id sign verify",
    "stat": "service_memory service_stat",
    "vault": "put cat",
    "run-console": "print",
    "vm": "create stop start reboot reset status",
    "spell": "install remove list update_trigger_config",
    "getDataSrv": "spell_id",
    "callbackSrv": "response",
    "errorHandlingSrv": "error",
    "worker": "create get_worker_id list is_active remove activate deactivate",
    "connector": "get_deals register_worker get_tx_receipts",
    "subnet": "resolve",
}
"""Functions by service id, as the peer has them."""

AQUA_LIB = {
    "builtin.aqua": {
        "Field", "Argument", "Bytes", "PeerId", "Pairs", "Base58String", "Hash", "IPLDBlueprint", "CID", "Path", "Service",
        "FunctionSignature", "RecordType", "Interface", "Info", "ModuleWASIConfig", "ModuleConfig", "Module", "Blueprint",
        "Contact", "SeriesStat", "Stats", "FunctionStat", "ServiceStat", "StatResult", "MemoryStat", "SignResult", "Op", "Peer",
        "Kademlia", "Srv", "Dist", "Sig", "Stat", "Debug", "Console", "Vault",
    },
    "math.aqua": {"Math", "Compare", "Array"},
    "workers.aqua": {"CUID", "Worker"},
    "subnet.aqua": {"Worker", "SubnetResolveResult", "Subnet"},
    "binary.aqua": {"and", "or", "not"},
}  # fmt: skip
"""What aqua-lib declares: programs may rely on these names, and on being free to use others."""


@cache
def definitions(name: str) -> tuple[ast.Definition, ...]:
    modules, found = load([os.path.join(FOLDER, name)])
    assert found == []
    return next(module for module in modules if module.entry).file.definitions


@cache
def services() -> dict[str, dict[str, ast.ArrowType]]:
    """Functions with their types, by service id."""
    found: dict[str, dict[str, ast.ArrowType]] = {}
    for name in FILES:
        for d in definitions(name):
            if isinstance(d, ast.Service) and isinstance(d.id, ast.Literal):
                arrows = {m.name.text: m.type for m in d.members if isinstance(m.type, ast.ArrowType)}
                found.setdefault(d.id.text.strip('"'), {}).update(arrows)
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_file_compiles_alone(name):
    compiled = aquac.compile_path(FOLDER / name)
    assert [d.message for d in compiled.diagnostics] == []
    assert compiled.empty


@pytest.mark.parametrize("service", PEER_FUNCTIONS)
def test_every_function_of_a_peer_is_declared(service):
    assert set(PEER_FUNCTIONS[service].split()) <= set(services()[service])


def test_nothing_is_declared_that_no_peer_has():
    assert {name: set(functions) for name, functions in services().items()} == {
        name: set(functions.split()) for name, functions in PEER_FUNCTIONS.items()
    }


@pytest.mark.parametrize("name", AQUA_LIB)
def test_names_are_those_of_aqua_lib(name):
    assert {d.name.text for d in definitions(name)} == AQUA_LIB[name]


@pytest.mark.parametrize(
    "name", [name for name in FILES if "\nservice " in (FOLDER / name).read_text(encoding="utf-8")]
)
def test_every_service_function_can_be_called(name):
    lines = ["aqua Calls", f'import "{FOLDER / name}"', ""]
    names = []
    for d in definitions(name):
        if not isinstance(d, ast.Service):
            continue
        for m in d.members:
            assert isinstance(m.type, ast.ArrowType)
            params = [f"a{i}: {_written(p.type)}" for i, p in enumerate(m.type.args) if isinstance(p, ast.Param)]
            call = f"{d.name.text}.{m.name.text}({', '.join(f'a{i}' for i in range(len(params)))})"
            function = f"{d.name.text.lower()}_{m.name.text}"
            params = [*params, "srv: string"]
            lines.append(f"func {function}({', '.join(params)}):")
            if d.id is None:
                lines.append(f"  {d.name.text} srv")
            lines.append(f"  {'r <- ' if m.type.results else ''}{call}\n")
            names.append(function)
    lines.insert(2, f"export {', '.join(names)}\n")
    compiled = aquac.compile_source("\n".join(lines))
    assert [d.message for d in compiled.diagnostics if d.is_error] == []
    assert set(compiled.functions) == set(names)
    for function in names:
        method = function.partition("_")[2]
        assert f'"{method}")' in compiled.functions[function].script


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("@fluencelabs/aqua-lib/math.aqua", "math.aqua"),
        ("@fluencelabs/aqua-lib/workers", "workers.aqua"),
        ("@fluencelabs/spell/api.aqua", "spell/api.aqua"),
        ("@fluencelabs/spell/spell_service", "spell/spell_service.aqua"),
        ("stdlib/json.aqua", "json.aqua"),
    ],
)
def test_found_under_the_names_of_packages(wanted, name):
    compiled = aquac.compile_bundle({"main.aqua": f'aqua M\nimport "{wanted}"\n'}, "main.aqua")
    assert compiled.ok
    assert str(FOLDER / name) in compiled.files


def test_names_that_checking_knows_are_those_of_the_files():
    declared = {name: {d.name.text for d in definitions(name)} for name in FILES}
    for name, wanted in LIBRARY.items():
        path = stdlib_path(wanted)
        assert path is not None
        assert name in declared[os.path.relpath(path, FOLDER).replace(os.sep, "/")]
    services = {d.name.text for name in FILES for d in definitions(name) if isinstance(d, ast.Service)}
    # What a client serves for a running particle, and what has a name that others have, is not for everyone.
    assert services - LIBRARY.keys() == {"Callback", "ErrorHandling", "GetData", "TriggerEventJson"}


@pytest.mark.parametrize(("name", "wanted"), LIBRARY.items())
def test_a_missing_name_of_the_library_is_explained(name, wanted):
    source = f"aqua M\n\nexport f\n\nfunc f(x: {name}):\n  y = 1\n"
    (error,) = [d for d in aquac.compile_bundle({"main.aqua": source}, "main.aqua").diagnostics if d.is_error]
    (note,) = error.notes
    line = note.message.partition("`")[2].removesuffix("`")
    assert line == f'import {name} from "{wanted}"'
    fixed = source.replace("aqua M\n", f"aqua M\n{line}\n")
    assert "AQ0206" not in {d.code.id for d in aquac.compile_bundle({"main.aqua": fixed}, "main.aqua").diagnostics}


def test_connectives():
    source = (
        'aqua M\nimport "@fluencelabs/aqua-lib/binary.aqua"\nexport f\n\n'
        "func f(a: bool, b: bool) -> bool:\n  x <- and(a, b)\n  y <- or(x, b)\n  z <- not(y)\n  <- z\n"
    )
    assert aquac.compile_bundle({"main.aqua": source}, "main.aqua").ok


def _written(t: ast.TypeExpr) -> str:
    match t:
        case ast.BasicType(name) | ast.NamedType(name):
            return name
        case ast.CollectionType(kind, element):
            return kind + _written(element)
        case _:
            raise AssertionError("services take data")
