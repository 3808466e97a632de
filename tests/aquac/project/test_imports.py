"""Which file an import means: spec aqua-language §4.2."""

from __future__ import annotations

import pytest

from aquac.project.bundle import Bundle
from aquac.project.config import ImportsInvalid, ProjectConfig, import_map, parse_import_map, with_roots
from aquac.project.imports import candidates


def check(imports: object, importer: str, wanted: str, *expected: str) -> None:
    config = ProjectConfig(imports=import_map(imports), stdlib=False)
    assert candidates(Bundle({}), config, importer, wanted) == list(expected)


def test_relative_first():
    check([], "/p/main.aqua", "lib.aqua", "/p/lib.aqua")
    check([], "/p/main.aqua", "./sub/../lib", "/p/lib.aqua")
    check([], "main.aqua", "sub/b", "sub/b.aqua")
    check([], "/p/main.aqua", "/abs/x", "/abs/x.aqua")


def test_folders_in_order():
    check(["/a", "/b/"], "/p/main.aqua", "x/y.aqua", "/p/x/y.aqua", "/a/x/y.aqua", "/b/x/y.aqua")


def test_longest_path_prefix_by_components_without_fallback():
    imports = {"/": {"": ["/root"]}, "/p": {"lib/": "/p-lib"}, "/p/q": {"other/": "/q-other"}}
    check(imports, "/p/main.aqua", "lib/x", "/p/lib/x.aqua", "/p-lib/x.aqua")
    check(imports, "/p/q/main.aqua", "lib/x", "/p/q/lib/x.aqua")
    check(imports, "/pq/main.aqua", "lib/x", "/pq/lib/x.aqua", "/root/lib/x.aqua")


def test_longest_import_prefix_by_characters():
    imports = {"/": {"": "/all", "@s/": ["/one", "/two"], "@s/p": "/x/@s/p"}}
    check(imports, "/m.aqua", "@s/z", "/@s/z.aqua", "/one/z.aqua", "/two/z.aqua")
    check(imports, "/m.aqua", "@s/pkg/a", "/@s/pkg/a.aqua", "/x/@s/p/kg/a.aqua")
    check(imports, "/m.aqua", "b", "/b.aqua", "/all/b.aqua")


def test_roots_come_after_every_entry_of_a_map():
    imports = with_roots(import_map({"/p": {"lib/": "/l"}}), ["/r"])
    config = ProjectConfig(imports=imports, stdlib=False)
    store = Bundle({})
    assert candidates(store, config, "/p/m.aqua", "lib/x") == ["/p/lib/x.aqua", "/l/x.aqua", "/r/lib/x.aqua"]
    assert candidates(store, config, "/p/m.aqua", "y") == ["/p/y.aqua", "/r/y.aqua"]
    assert candidates(store, config, "/o/m.aqua", "y") == ["/o/y.aqua", "/r/y.aqua"]
    assert with_roots(import_map([]), []) == import_map([])


@pytest.mark.parametrize("text", ["", "1", '{"/": ["a"]}', '{"/": {"": 1}}', '{"/": {"": [1]}}', "[1]", "[" * 100_000])
def test_malformed_maps(text):
    with pytest.raises(ImportsInvalid):
        parse_import_map(text)


def test_map_shapes():
    assert parse_import_map('{"/": {"@a/": "x", "b": ["y", "z"]}}') == {"/": {"@a/": ("x",), "b": ("y", "z")}}
    assert parse_import_map('["a"]') == {"/": {"": ("a",)}}


def found(importer: str, wanted: str, *files: str, imports: object = ()) -> str | None:
    """The file an import means, of those there are."""
    store = Bundle(dict.fromkeys([importer, *files], ""))
    tried = candidates(store, ProjectConfig(imports=import_map(list(imports))), importer, wanted)
    return next((path for path in tried if store.is_file(path)), None)


def test_packages_are_found_in_node_modules_upwards():
    assert found("/p/src/a/m.aqua", "@s/k/x", "/p/node_modules/@s/k/x.aqua") == "/p/node_modules/@s/k/x.aqua"
    assert found("src/m.aqua", "k/x.aqua", "node_modules/k/x.aqua") == "node_modules/k/x.aqua"
    nearest = "/p/src/node_modules/k/x.aqua"
    assert found("/p/src/m.aqua", "k/x.aqua", "/p/node_modules/k/x.aqua", nearest) == nearest
    assert found("/p/m.aqua", "k/x.aqua", "/q/node_modules/k/x.aqua") is None


def test_packages_find_their_own_dependencies_first():
    inner = "/p/node_modules/a/node_modules/b/x.aqua"
    outer = "/p/node_modules/b/x.aqua"
    assert found("/p/node_modules/a/m.aqua", "b/x", inner, outer) == inner
    assert found("/p/node_modules/a/m.aqua", "b/x", outer) == outer
    assert found("/p/node_modules/a/m.aqua", "b/x", "/p/node_modules/node_modules/b/x.aqua") is None


def test_packages_come_after_files_and_maps_and_before_the_library():
    package = "/p/node_modules/@fluencelabs/aqua-lib/builtin.aqua"
    wanted = "@fluencelabs/aqua-lib/builtin.aqua"
    assert found("/p/m.aqua", wanted, package) == package
    assert found("/p/m.aqua", wanted, package, f"/i/{wanted}", imports=["/i"]) == f"/i/{wanted}"
    assert found("/p/m.aqua", wanted, package, f"/p/{wanted}", f"/i/{wanted}", imports=["/i"]) == f"/p/{wanted}"
    tried = candidates(Bundle({package: ""}), ProjectConfig(), "/p/m.aqua", wanted)
    assert tried[1] == package
    assert tried[2].endswith("builtin.aqua")
    assert candidates(Bundle({package: ""}), ProjectConfig(packages=False, stdlib=False), "/p/m.aqua", wanted) == [
        f"/p/{wanted}"
    ]


@pytest.mark.parametrize("wanted", ["./k/x.aqua", "../k/x.aqua", "/k/x.aqua"])
def test_paths_are_no_packages(wanted):
    assert found("/p/q/m.aqua", wanted, "/p/node_modules/k/x.aqua", "/p/q/node_modules/k/x.aqua") is None
