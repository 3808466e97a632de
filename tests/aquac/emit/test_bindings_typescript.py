"""Targets ts and js: the layout, names, comments, texts; and what tsc and node say. Identity with the reference: aqua-air."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aquac.emit.javascript import javascript_source
from aquac.emit.typescript import jsdoc, template_text, type_text, typescript_declarations, typescript_source

from .binding_program import PROGRAM, bound

SMALL = """aqua M
export f
{doc}func f(a: []?u8) -> bool:
  <- true
"""


def check(text: str, *pieces: str) -> None:
    """All pieces are in the typed module of a program, in this order."""
    made, at = typescript_source(bound(text)), 0
    for piece in pieces:
        found = made.find(piece, at)
        assert found >= 0, piece
        at = found + len(piece)


def test_comments_add_nothing_but_themselves() -> None:
    plain, commented = (SMALL.format(doc=doc) for doc in ("", "-- Says */ yes.\n"))
    for make in (typescript_source, javascript_source, typescript_declarations):
        assert make(bound(commented)).replace("/**\n * Says *\\/ yes.\n */\n", "") == make(bound(plain))
        assert make(bound(commented)) != make(bound(plain))


def test_sources_are_checked_by_tsc() -> None:
    assert "ts-nocheck" not in typescript_source(bound(PROGRAM))
    assert "ts-nocheck" not in typescript_declarations(bound(PROGRAM))


def test_comments_of_services_and_methods() -> None:
    check(
        PROGRAM,
        '/**\n * A shop "with docs" *\\/ \\\n * and two lines.\n */\nexport interface ShopDef {\n',
        "    /**\n     * Price of an order.\n     */\n    price: (o: ",
    )


def test_reserved_names() -> None:
    check(PROGRAM, "export function registerShop(service: ShopDef): void;")
    check(PROGRAM, "export const delete__script = `", "export type DeleteParams = [default_: boolean, config?: {ttl?: number}]",
          "export function delete_(...args: DeleteParams): DeleteResult {", '"functionName": "delete"', "delete__script\n    );")  # fmt: skip
    check(PROGRAM, "export type BothParams = [class_: string, client: number, ")
    check('aqua M\nexport S\nservice S("s"):\n  m(new: u8, callParams: u8)\n',
          "    m: (new_: number, callParams_: number, callParams: ParticleContext$$) => void | Promise<void>;")  # fmt: skip


def test_names_that_meet() -> None:
    text = 'aqua M\nexport a, b as A, c as a_script, d as registerS, S\nservice S("s"):\n  m()\n' + "".join(
        f"func {name}(x: u8) -> u8:\n  <- x\n" for name in "abcd"
    )
    made = typescript_source(bound(text))
    declared = [line.split("(")[0] for line in made.splitlines() if line.startswith("export function")]
    assert len(set(declared)) == 5
    types = [line.split(" =")[0] for line in made.splitlines() if line.startswith("export type")]
    assert len(set(types)) == len(types) == 8
    constants = [line for line in made.splitlines() if line.startswith("export const")]
    assert len(set(constants)) == 4


def test_scripts_survive_template_literals() -> None:
    assert template_text("a`b${c}\\d $ {e}\r\n") == "a\\`b\\${c}\\\\d $ {e}\\r\n"
    assert '"a\\`b\\${c}\\\\\\\\d"' in typescript_source(bound(PROGRAM))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"tag": "scalar", "name": "unsigned"}, "any"),
        ({"tag": "topType"}, "unknown"),
        ({"tag": "bottomType"}, "never"),
        ({"tag": "nil"}, "null"),
        ({"tag": "array", "type": {"tag": "option", "type": {"tag": "scalar", "name": "u8"}}}, "number | null[]"),
        ({"tag": "arrow", "domain": {"tag": "nil"}, "codomain": {"tag": "unlabeledProduct", "items": [
            {"tag": "scalar", "name": "bool"}, {"tag": "scalar", "name": "string"}]}},
         "(callParams: ParticleContext$$) => [boolean, string] | Promise<[boolean, string]>"),
    ],
)  # fmt: skip
def test_types(kind, expected: str) -> None:
    assert type_text(kind) == expected


def test_jsdoc() -> None:
    assert jsdoc("a\n\nb", "  ") == "  /**\n   * a\n   *\n   * b\n   */\n"
    assert jsdoc(" \n") == ""


USE = """\
import { both, delete_, each, order, registerNoId, registerShop, tell, maybe, type ShopDef } from './main.js';
import { Fluence } from '@fluencelabs/js-client';

const shop: ShopDef = { list: () => [], ping: () => {}, price: async (o, context) => o.id + context.ttl, echo: (c) => c };
const client = Fluence.getClient();
registerShop(shop);
registerShop("id", shop);
registerShop(client, shop);
registerShop(client, "id", shop);
registerNoId(client, "id", { one: async (x) => x });
export const a: [string, { class: string | null; x: number; y: number } | null] = await both("x", 3);
export const b: boolean = await delete_(client, true, { ttl: 5 });
export const c: [number, { class: string | null; x: number; y: number }[]] = await order(
    { id: 1, items: [], note: null, str: 0 }, 1, "peer");
await tell("x", (s, p) => { s.concat(String(p.x)); });
await each([], async (p) => p);
// @ts-expect-error a string is no number
await maybe("x");
// @ts-expect-error the service has no default id
registerNoId({ one: async (x: number | null) => x });
"""


def tsc_strict(folder: Path, modules: Path, node: str, *files: str) -> str:
    """What `tsc --strict` says about files of a folder."""
    tsc = modules / "typescript" / "bin" / "tsc"
    kit = modules.parent / "js-client" / "node_modules"
    if not tsc.is_file() or not kit.is_dir():
        pytest.skip("typescript or js-client is not installed: run `python3 tasks.py reference` (needs npm)")
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(kit)
    (folder / "package.json").write_text('{"type": "module"}')
    # The client's own declarations need a package that it does not depend on, hence skipLibCheck.
    flags = ("--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022")
    done = subprocess.run([node, tsc, *flags, *files], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.reference
@pytest.mark.slow
def test_tsc_strict(tmp_path: Path, reference_modules: Path, node: str) -> None:
    (tmp_path / "main.ts").write_text(typescript_source(bound(PROGRAM)))
    (tmp_path / "use.ts").write_text(USE)
    declarations = typescript_declarations(bound(PROGRAM))
    (tmp_path / "types.d.ts").write_text(declarations)
    assert tsc_strict(tmp_path, reference_modules, node, "main.ts", "use.ts", "types.d.ts") == ""
    # Declarations are libraries to tsc: check them as a source too.
    (tmp_path / "types.d.ts").unlink()
    (tmp_path / "types.ts").write_text(declarations.replace("export function", "export declare function"))
    assert tsc_strict(tmp_path, reference_modules, node, "types.ts") == ""


@pytest.mark.slow
def test_node_parses_the_module(tmp_path: Path, node: str) -> None:
    path = tmp_path / "main.mjs"
    path.write_text(javascript_source(bound(PROGRAM)))
    subprocess.run([node, "--check", path], check=True, capture_output=True)
