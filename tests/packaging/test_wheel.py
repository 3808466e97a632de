"""What the wheel holds, and that it works installed, away from the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.slow
def test_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    info = {top for top in tops if top.endswith(".dist-info")}
    assert tops - info == {"aquac", "avm", "lsp", "runtime"}
    for needed in (
        "aquac/_stdlib/builtin.aqua",
        "aquac/_stdlib/spell/api.aqua",
        "aquac/_codes/AQ0201.md",
        "aquac/syntax/aqua.lark",
        "aquac/py.typed",
        "runtime/templates/shared/@name@.aqua",
        "runtime/templates/c/marine.h",
        "runtime/templates/zig/build.py.txt",
        "runtime/templates/rust/src/lib.rs",
        "runtime/templates/assemblyscript/assembly/index.ts",
        "runtime/sim/programs.json",
    ):
        assert needed in names
    assert not [n for n in names if "/tests/" in n or n.startswith(("tests/", "examples/"))]
    assert any(n.endswith("licenses/LICENSE") for n in names)
    (entry_points,) = [n for n in names if n.endswith(".dist-info/entry_points.txt")]
    with zipfile.ZipFile(wheel) as archive:
        assert (
            "[pytest11]\nruntime.sim.pytest_plugin = runtime.sim.pytest_plugin" in archive.read(entry_points).decode()
        )


@pytest.mark.slow
def test_plain_requirements_have_no_libp2p(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        lines = archive.read(metadata).decode().splitlines()
    plain = [x for x in lines if x.startswith("Requires-Dist:") and "extra ==" not in x]
    assert plain
    assert not [x for x in plain if "libp2p" in x]
    assert any("wasmtime==" in x for x in plain), "wasmtime's Python interface changes between releases: it is pinned"
    assert any("libp2p==" in x and "p2p" in x for x in lines)


@pytest.mark.slow
def test_runs_installed_from_an_empty_directory(wheel: Path, tmp_path: Path) -> None:
    # The environment sees this one's dependencies but not the checkout, so only the wheel can provide our packages.
    home = tmp_path / "env"
    venv.create(home, with_pip=False, symlinks=True)
    site = next(home.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    dependencies = [p for p in sys.path if p.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    python = home / "bin" / "python"
    work = tmp_path / "empty"
    work.mkdir()
    (work / "app.aqua").write_text(
        'aqua App\n\nimport "@fluencelabs/aqua-lib/builtin.aqua"\n\nexport add\n\n'
        "func add(a: i64, b: i64) -> i64:\n  <- a + b\n",
    )

    def call(*words: str) -> str:
        done = subprocess.run([python, "-P", "-m", *words], cwd=work, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    # An editable install of the checkout may stand in those dependencies: ours must come from the wheel.
    where = subprocess.run(
        [python, "-P", "-c", "import aquac, runtime; print(aquac.__file__, runtime.__file__)"],
        cwd=work, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert str(site) in where
    assert str(ROOT) + "/" not in where
    assert json.loads(call("aquac", "build", "app.aqua", "--target", "json", "-o", "-"))["functions"]["add"]["script"]
    assert json.loads(call("avm", "run", "app.aqua", "-f", "add(20, 22)")) == 42
    assert "demo/marine.h" in call("avm", "service", "new", "demo", "--language", "c").splitlines()
    assert json.loads(call("avm", "sim", "run", "--particles", "3", "--engine", "auto"))["failure"] is None
