"""Run our implementation over a conformance corpus.

    python -m tests.conformance.runner AREA [--cases FILE|DIR]… [--only ID]… [--json] [--limit N]

An area is a module of `areas/` that runs something as a whole (`run_area(only, *, slow) -> Report`), or a module with `FILES` (its default case files) and `check(case) -> str | None` (None: equal; text: what
differs). The corpus comes from `--cases`, else from the committed copy under `tests/conformance/data/AREA`, else from
`../shared/conformance/AREA`. A case that is expected to differ stands in `known_divergences.toml` with its reason; an
entry that no longer differs fails the run, so the list cannot rot.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import sys
import time
import tomllib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance.report import Divergence, Report, Skip

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
AREAS = ("aqua-check", "aqua-air", "avm-parse", "avm", "interpreter-data", "js-client", "marine")


class CorpusMissing(Exception):
    """No case file was found; the message says where it was looked for."""


def area_module(area: str) -> Any:
    """The module that checks the cases of `area`."""
    return importlib.import_module(f"tests.conformance.areas.{area.replace('-', '_')}")


def default_files(area: str) -> list[Path]:
    """Case files of an area: the committed copy, or the shared corpus beside the checkout.

    Raises: CorpusMissing.
    """
    module = area_module(area)
    folder = getattr(module, "CORPUS", area)
    places = [HERE / "data" / folder, ROOT.parent / "shared" / "conformance" / folder]
    for place in places:
        found = []
        for name in module.FILES:
            for candidate in (place / name, place / f"{name}.gz", place / name.removesuffix(".gz")):
                if candidate.is_file():
                    found.append(candidate)
                    break
        if found:
            return found
    raise CorpusMissing(f"no corpus for {area}: looked in {' and '.join(str(p) for p in places)}")


def expand(area: str, cases: list[str]) -> list[Path]:
    """Case files named on the command line; a folder stands for the area's files in it, else for every case file in it."""
    if not cases:
        return default_files(area)
    module = area_module(area)
    out: list[Path] = []
    for text in cases:
        path = Path(text)
        if path.is_dir():
            names = {n for f in module.FILES for n in (f, f"{f}.gz", f.removesuffix(".gz"))}
            inside = sorted(p for p in path.iterdir() if p.name in names)
            out += inside or sorted(p for p in path.iterdir() if p.name.endswith((".jsonl", ".jsonl.gz")))
        elif path.is_file():
            out.append(path)
        else:
            raise CorpusMissing(f"no such file or folder: {path}")
    if not out:
        raise CorpusMissing(f"no case files in {', '.join(cases)}")
    return out


def read_cases(path: Path) -> Iterator[dict[str, Any]]:
    """The cases of a `.jsonl` or `.jsonl.gz`; a case without `id` gets `<file>:<line>`. `_file` holds the path."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                case = json.loads(line)
                case.setdefault("id", f"{path.name.removesuffix('.gz').removesuffix('.jsonl')}:{number}")
                case["_file"] = str(path)
                yield case


def known_divergences(area: str) -> dict[str, str]:
    """Case id → reason why we differ on purpose."""
    path = HERE / "known_divergences.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {str(k): str(v) for k, v in table.get(area, {}).items()}


def run(area: str, files: list[Path], *, only: frozenset[str] = frozenset(), limit: int | None = None) -> Report:
    """Check every case of `files`. A crash of ours is a failure with its last line as the reason."""
    module = area_module(area)
    known = known_divergences(area)
    report = Report(area)
    for path in files:
        for case in read_cases(path):
            name = str(case["id"])
            if only and name not in only:
                continue
            if limit is not None and report.cases >= limit:
                return report
            report.cases += 1
            try:
                reason = module.check(case)
            except Skip as skip:
                report.skipped.append(name)
                report.details[name] = str(skip)
                continue
            except Divergence as divergence:
                report.known_divergences.append(name)
                report.details[name] = str(divergence)
                continue
            except Exception as error:  # noqa: BLE001 - a crash must count as a failure, not end the run
                where = traceback.extract_tb(error.__traceback__)[-1]
                reason = f"crash: {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            if reason is None:
                report.passed += 1
                if name in known:
                    report.stale_divergences.append(name)
            elif name in known:
                report.known_divergences.append(name)
                report.details[name] = known[name]
            else:
                report.failed.append(name)
                report.details[name] = reason
    return report


def main(argv: list[str] | None = None) -> int:
    """Command line of the runner; exit 1 if anything failed, 2 if there is no corpus."""
    parser = argparse.ArgumentParser(prog="tasks.py conformance", description="run our implementation over a corpus")
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("--cases", action="append", default=[], metavar="FILE|DIR")
    parser.add_argument("--only", action="append", default=[], metavar="ID")
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--slow", action="store_true", help="js-client: also what waits for more than a minute")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    args = parser.parse_args(argv)
    started = time.perf_counter()
    try:
        if hasattr(area_module(args.area), "run_area"):
            report = area_module(args.area).run_area(args.only, slow=args.slow)
        else:
            report = run(args.area, expand(args.area, args.cases), only=frozenset(args.only), limit=args.limit)
    except (CorpusMissing, Skip) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(report.to_json()))
    else:
        for name in report.failed:
            print(f"FAIL {name}: {report.details[name][:400]}")
        for name in report.skipped:
            print(f"skip {name}: {report.details[name][:200]}")
        for name in report.known_divergences:
            print(f"differs {name}: {report.details[name][:200]}")
        for name in report.stale_divergences:
            print(f"STALE {name}: listed in known_divergences.toml but passes")
        extra = getattr(area_module(args.area), "summary", None)
        if extra is not None:
            print(extra())
        print(
            f"{args.area}: {report.cases} cases, {report.passed} passed, {len(report.failed)} failed, "
            f"{len(report.skipped)} skipped, {len(report.known_divergences)} known divergences "
            f"({time.perf_counter() - started:.1f} s)"
        )
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
