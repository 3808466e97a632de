"""What `avm parse`, `avm data` and `avm exec` print is what their schemas say, for all that the corpora hold."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from avm.air import parse
from avm.air.ast_json import ast_json
from avm.data.human import human_view, read_for_people
from runtime.cli import main
from tests.conformance.runner import default_files, read_cases

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


def validator(name: str) -> jsonschema.Draft202012Validator:
    """Schemas refer to each other by file name."""

    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(json.loads((SCHEMAS / uri).read_text(encoding="utf-8")))

    document = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(document, registry=Registry(retrieve=retrieve))


def check(name: str, document: Any, *, valid: bool = True) -> None:
    errors = list(validator(name).iter_errors(document))
    assert bool(errors) != valid, errors


def test_trees(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = 0
    seen: set[str] = set()
    by = validator("avm-ast")
    for path in default_files("avm-parse"):
        for case in read_cases(path):
            root = parse(case["air"]).instruction if len(case["air"]) < 2000 else None
            if root is not None and type(root).__name__ + case["id"].rpartition("-")[0] not in seen:
                seen.add(type(root).__name__ + case["id"].rpartition("-")[0])
                assert list(by.iter_errors(json.loads(ast_json(root)))) == [], case["id"]
                found += 1
    assert found > 40
    script = tmp_path / "a.air"
    script.write_text("(null)", encoding="utf-8")
    assert main(["parse", str(script)]) == 0
    tree = json.loads(capsys.readouterr().out)
    check("avm-ast", tree)
    check("avm-ast", tree | {"Never": None}, valid=False)
    check("avm-ast", {"Seq": [tree]}, valid=False)


def test_data() -> None:
    found = 0
    by = validator("avm-data")
    for path in default_files("interpreter-data"):
        if path.name.startswith("basic"):
            for case in list(read_cases(path))[::7]:
                if data := base64.b64decode(case["current_data"]):
                    view = json.loads(json.dumps(human_view(read_for_people(data))))
                    assert list(by.iter_errors(view)) == [], case["id"]
                    found += 1
    assert found > 10
    view["data"]["trace"].append({"call": {}})
    check("avm-data", view, valid=False)


@pytest.mark.parametrize("flags", [[], ["--plain"]])
def test_exec(flags: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    script = tmp_path / "a.air"
    for air, code in (
        ('(par (call %init_peer_id% ("s" "f") [1 "é"] x) (call "q" ("s" "f") []))', 0),
        ('(fail 3 "x")', 3),
    ):
        script.write_text(air, encoding="utf-8")
        assert main(["exec", str(script), *flags]) == code
        document = json.loads(capsys.readouterr().out)
        check("avm-exec", document)
        check("avm-exec", document | {"id": 1}, valid=False)
        check("avm-exec", document | {"data": 1}, valid=False)


def test_both_engines_stop_at_the_first_difference(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reference that answers otherwise from the second line on."""
    from avm import Avm, Outcome
    from runtime import reference_avm

    class Other(Avm):
        runs = 0

        def __init__(self, _wasm: str | None) -> None:
            super().__init__()

        def invoke(self, *args: Any) -> Outcome:
            Other.runs += 1
            return super().invoke("(null)" if Other.runs > 1 else args[0], *args[1:])

    monkeypatch.setattr(reference_avm, "ReferenceAvm", Other)
    params = {"init_peer_id": "a", "current_peer_id": "b", "timestamp": 1, "ttl": 2, "particle_id": "p"}
    params["secret_key_bytes"] = base64.b64encode(bytes(32)).decode()
    line = {"air": '(call "q" ("s" "f") [])', "params": params}
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(line | {"id": number}) + "\n" for number in range(4)), encoding="utf-8")
    assert main(["invoke", "--engine", "both", str(path)]) == 1
    captured = capsys.readouterr()
    first, second = map(json.loads, captured.out.splitlines())
    assert first["ret_code"] == 0
    assert second["id"] == 1
    assert second["error"] == "outcomes differ"
    assert "next_peer_pks" in second["difference"]
    assert "outcomes differ in" in captured.err
    for document in (first, second):
        check("avm-outcome", document)
