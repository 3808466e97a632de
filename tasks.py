"""Everything a contributor or CI runs, under one word each. Standard library only.

    python3 tasks.py demo                 set up and run the first example
    python3 tasks.py test [PYTEST…]       set up and run the tests
    python3 tasks.py check                what CI runs: lint, types, tests, smoke slices of the heavy suites, wheel
    python3 tasks.py fmt | lint | types   ruff format · ruff check · mypy
    python3 tasks.py conformance AREA [--cases FILE|DIR] [--json]
    python3 tasks.py fuzz [--minutes N]   property and differential fuzzing for longer than the tests do
    python3 tasks.py sim [--seeds N]      deterministic simulations of whole networks
    python3 tasks.py bench AREA [--json]  ours and the reference in one run
    python3 tasks.py soak AREA            a million operations in one process; memory must stay flat
    python3 tasks.py soak peer [--minutes N]   a peer at half load; memory, tasks and descriptors must stay flat
    python3 tasks.py wheel                build the wheel and test it installed, from an empty directory
    python3 tasks.py reference            install the reference implementations (npm) that some tests compare with
                        [--all]           … and the eleven earlier releases of AquaVM that area marine has rows for (about 45 MB)
                        [--marine-blobs CLONE…]   take modules of public git history out of clones of the reference's repositories

The environment is `.venv` beside this file, made and refreshed when pyproject.toml changes. Inside an activated virtual
environment that one is used instead, so a machine keeps a single copy of the dependencies. Node packages go to `.reference`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_DEV = ROOT / ".venv-dev"  # without the extra p2p: libp2p brings old type stubs that hide trio's own types
REFERENCE = ROOT / ".reference"
REFERENCE_PACKAGES = (
    "@fluencelabs/aqua-api@0.14.6",
    "@fluencelabs/avm@0.62.0",
    "@fluencelabs/marine-js@0.13.0",
    "@fluencelabs/air-beautify-wasm@0.3.9",
    "typescript@5.3.3",
    # What the pictures and colours of `aquac` are checked with.
    "mermaid@11.17.2",
    "jsdom@29.1.1",
    "@viz-js/viz@3.31.0",
    "vscode-textmate@9.3.2",
    "vscode-oniguruma@2.0.1",
)
MARINE_DATA = ROOT / "tests" / "conformance" / "data" / "marine"
SOURCES = ("aquac", "avm", "lsp", "runtime", "tests", "examples", "tasks.py")


class TaskFailed(Exception):
    """A step ended with an error; the message is all the user needs."""


def main() -> int:
    """Run one task; the exit code of its command is ours."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an old Python meets first
        print("tasks.py needs Python 3.11 or newer", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(
        prog="tasks.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="arguments of the task")
    args = parser.parse_args()
    try:
        return TASKS[args.task](args.rest)
    except TaskFailed as error:
        print(f"tasks.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# ── environment ──────────────────────────────────────────────────────────────────────────────────────────────────────


def python(*extras: str, optional: tuple[str, ...] = (), home: Path = VENV) -> str:
    """Interpreter of an environment that has the project and `extras` installed; makes or refreshes it first.

    `optional` extras are tried too: one that cannot be installed is reported with the remedy and left out.
    """
    if sys.prefix != sys.base_prefix:
        prefix = Path(sys.prefix)
    else:
        prefix = home
        if not executable(prefix).exists():
            say(f"making {home.name}")
            run([sys.executable, "-m", "venv", str(home)])
    exe = executable(prefix)
    install(exe, prefix, extras)
    for extra in optional:
        try:
            install(exe, prefix, (extra,))
        except TaskFailed:
            say(f"the extra [{extra}] could not be installed; what needs it is skipped")
            if extra == "p2p":
                say("  libp2p is built from source: install a C compiler and the GMP headers (Debian: gcc libgmp-dev)")
    compile_kernels(exe)
    return str(exe)


def compile_kernels(exe: Path) -> None:
    """Compile the native code, unless that is kept already. Without it everything works, slower."""
    for module in ("avm.jit.library", "runtime.marine.native.library"):
        subprocess.run([str(exe), "-m", module], cwd=ROOT, check=False)


def executable(prefix: Path) -> Path:
    """Python of an environment."""
    return prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(exe: Path, prefix: Path, extras: tuple[str, ...]) -> None:
    """Install the checkout with `extras`, unless that was done for this very pyproject.toml."""
    stamp = prefix / f".aquac-{'-'.join(extras) or 'base'}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    name = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    say(f"installing {Path(name).name}")
    run([str(exe), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", name])
    stamp.write_text(wanted)


def run(command: list[str], *, env: dict[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Run a command that must succeed. Raises TaskFailed."""
    code = call(command, env=env, cwd=cwd)
    if code != 0:
        raise TaskFailed(f"`{' '.join(command[:6])}{' …' if len(command) > 6 else ''}` ended with code {code}")


def call(command: list[str], *, env: dict[str, str] | None = None, cwd: Path = ROOT, quiet: bool = False) -> int:
    """Run a command and give its exit code."""
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=output, stderr=output, check=False
    ).returncode


def say(text: str) -> None:
    """Progress goes to stderr: stdout is for results."""
    print(f"tasks.py: {text}", file=sys.stderr, flush=True)


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def demo(rest: list[str]) -> int:
    """Compile and run the first example on a network inside this process."""
    exe = python()
    return call([exe, "-m", "avm", "run", "examples/hello/main.aqua", "-f", 'hello("world")', *rest])


def test(rest: list[str]) -> int:
    """Run pytest. The extras and the reference implementations are used where they can be had."""
    exe = python("test", optional=("p2p", "otel"))
    return call([exe, "-m", "pytest", *rest])


def fmt(rest: list[str]) -> int:
    """Format the sources."""
    exe = python("dev", home=VENV_DEV)
    call([exe, "-m", "ruff", "check", "--select", "I", "--fix", "--quiet", *SOURCES])
    return call([exe, "-m", "ruff", "format", *rest, *SOURCES])


def lint(rest: list[str]) -> int:
    """Check style."""
    exe = python("dev", home=VENV_DEV)
    return call([exe, "-m", "ruff", "check", *rest, *SOURCES]) or call(
        [exe, "-m", "ruff", "format", "--check", "--quiet", *SOURCES]
    )


def types(rest: list[str]) -> int:
    """Check types of the shipped packages."""
    exe = python("dev", home=VENV_DEV)
    return call([exe, "-m", "mypy", *rest])


def conformance(rest: list[str]) -> int:
    """Run our implementation over a corpus."""
    return call([python("test"), "-m", "tests.conformance.runner", *rest])


def fuzz(rest: list[str]) -> int:
    """Property tests with many more examples, then the differential fuzzers."""
    parser = argparse.ArgumentParser(prog="tasks.py fuzz")
    parser.add_argument("--minutes", type=float, default=5.0)
    args = parser.parse_args(rest)
    env = {"AQUA_FUZZ_MINUTES": str(args.minutes), "HYPOTHESIS_PROFILE": "fuzz"}
    exe = python("test")
    code = call([exe, "-m", "pytest", "tests/property", "tests/fuzz", "-q"], env=env)
    if not os.environ.get("AQUA_REFERENCE") and not (REFERENCE / "node_modules" / "@fluencelabs").is_dir():
        say("the differential fuzzers need the reference: python3 tasks.py reference")
        return code
    for name in ("avm", "aqua"):
        code = call([exe, "-m", f"tests.fuzz.{name}_differential", "--minutes", str(args.minutes)]) or code
    programs = str(1_000_000)
    return (
        call([exe, "-m", "tests.fuzz.aqua_diagnostics", "--programs", programs, "--minutes", str(args.minutes)]) or code
    )


def sim(rest: list[str]) -> int:
    """Simulate networks under many seeds, all faults on; see docs/simulation.md."""
    parser = argparse.ArgumentParser(prog="tasks.py sim")
    parser.add_argument("--seeds", type=int, default=1000)
    args, others = parser.parse_known_args(rest)
    return call([python("test"), "-m", "avm", "sim", "explore", "--seeds", str(args.seeds), *others])


def bench(rest: list[str]) -> int:
    """Measure ours and the reference, interleaved."""
    return call([python("test"), "-m", "tests.bench.runner", *rest])


def soak(rest: list[str]) -> int:
    """Very many operations in one process."""
    return call([python("test"), "-m", "tests.soak.runner", *rest])


def wheel(rest: list[str]) -> int:
    """Build the wheel, look into it, install it and run it from an empty directory."""
    return call([python("test"), "-m", "pytest", "tests/packaging", "-q", "-m", "slow or not slow", *rest])


def reference(rest: list[str]) -> int:
    """Install the npm packages of the reference into .reference, and what else of it is asked for."""
    parser = argparse.ArgumentParser(prog="tasks.py reference")
    parser.add_argument("--all", action="store_true", help="also the earlier releases of AquaVM of area marine")
    parser.add_argument(
        "--marine-blobs", nargs="+", type=Path, metavar="CLONE",
        help="only place .reference/marine-blobs/BLOB.wasm, read from these git clones",
    )  # fmt: skip
    args, npm_args = parser.parse_known_args(rest)
    REFERENCE.mkdir(exist_ok=True)
    if args.marine_blobs is not None:
        return place_marine_blobs(args.marine_blobs)
    npm = shutil.which("npm")
    if npm is None:
        raise TaskFailed("npm is not installed; tests that compare with the reference are skipped without it")
    npm_install(npm, REFERENCE, [*REFERENCE_PACKAGES, *npm_args])
    kit = REFERENCE / "js-client"
    shutil.copytree(ROOT / "tests" / "conformance" / "data" / "js-client", kit, dirs_exist_ok=True)
    run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=kit)
    if args.all:
        install_avm_releases(npm)
        absent = [row["blob"] for row in marine_modules("git") if not blob_place(row["blob"]).is_file()]
        if absent:
            say(
                f"{len(absent)} modules of area marine come from public git history, as .reference/marine-blobs/BLOB.wasm"
            )
            for name in sorted({row["git"] for row in marine_modules("git") if row["blob"] in absent}):
                say(f"  git clone https://github.com/{name}")
            say("  python3 tasks.py reference --marine-blobs CLONE…")
    return 0


def npm_install(npm: str, folder: Path, packages: list[str]) -> None:
    """Install packages into a folder of their own."""
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n')
    run([npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *packages], cwd=folder)


def marine_modules(source: str) -> list[dict[str, str]]:
    """Modules that area marine takes from elsewhere: rows of `npm_modules.jsonl` or `git_modules.jsonl`."""
    lines = (MARINE_DATA / f"{source}_modules.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def install_avm_releases(npm: str) -> None:
    """Every release of AquaVM in a folder named after it: `.reference/avm-versions/node_modules/avm-0.59.0`."""
    installed = {name.rpartition("@")[2] for name in REFERENCE_PACKAGES if name.startswith("@fluencelabs/avm@")}
    releases = [row["npm"].rpartition("@") for row in marine_modules("npm")]
    npm_install(
        npm, REFERENCE / "avm-versions",
        [
            f"avm-{version}@npm:{name}@{version}"
            for name, _, version in releases
            if name == "@fluencelabs/avm" and version not in installed
        ],
    )  # fmt: skip


def blob_place(blob: str) -> Path:
    """Where area marine looks for a module that is a git blob."""
    return REFERENCE / "marine-blobs" / f"{blob}.wasm"


def place_marine_blobs(clones: list[Path]) -> int:
    """Copy the modules of area marine out of git clones; 1 when some are in none of them."""
    if shutil.which("git") is None:
        raise TaskFailed("git is not installed")
    for clone in clones:
        if call(["git", "-C", str(clone), "rev-parse", "--git-dir"], quiet=True) != 0:
            raise TaskFailed(f"{clone}: not a git repository")
    blob_place("").parent.mkdir(exist_ok=True)
    absent = []
    for row in marine_modules("git"):
        blob = row["blob"]
        if blob_place(blob).is_file():
            continue
        for clone in clones:
            found = subprocess.run(
                ["git", "-C", str(clone), "cat-file", "blob", blob], capture_output=True, check=False
            )
            if found.returncode == 0 and hashlib.sha256(found.stdout).hexdigest() == row["sha256"]:
                blob_place(blob).write_bytes(found.stdout)
                break
        else:
            absent.append(row)
    for row in absent:
        say(f"in no clone: {row['git']} {row['path']}, blob {row['blob']}")
    if absent:
        say("a shallow clone lacks the history that most of them are in")
    return 1 if absent else 0


def check(rest: list[str]) -> int:
    """What CI runs."""
    for name, task in (("lint", lint), ("types", types), ("test", test)):
        say(name)
        code = task(rest if task is test else [])
        if code != 0:
            raise TaskFailed(f"{name} failed")
    return 0


TASKS = {
    task.__name__: task
    for task in (demo, test, fmt, lint, types, conformance, fuzz, sim, bench, soak, wheel, reference, check)
}

if __name__ == "__main__":
    sys.exit(main())
