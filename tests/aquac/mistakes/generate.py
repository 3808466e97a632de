"""Make the corpus of mistakes: `python -m tests.aquac.mistakes.generate`.

Every slip is applied to every program of `programs/`; of the mutants of one slip a few are drawn, by a seed, as many different
programs as possible. The expected place comes from the slip. What the compiler says is filled in by `pytest --update-golden`.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.aquac.mistakes.slips import SLIPS, Mutant
from tests.golden import Case, dump, load

HERE = Path(__file__).parent
SEED = 20240517
PER_SLIP = 4


def sources() -> dict[str, str]:
    """The sound programs by name, the library they import among them."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE / "programs").glob("*.aqua"))}


def mutants(name: str) -> list[tuple[str, Mutant]]:
    """All mutants of a slip, each with the name of its program."""
    programs = {stem: text for stem, text in sources().items() if stem != "lib"}
    return [(stem, m) for stem, text in programs.items() for m in SLIPS[name](text.rstrip("\n").split("\n"))]


def draw(name: str, count: int) -> list[tuple[str, Mutant]]:
    """Some mutants of a slip: first one of each program, then what is left."""
    chance = random.Random(f"{SEED} {name}")
    pool = mutants(name)
    chance.shuffle(pool)
    seen: set[str] = set()
    ranked = []
    for stem, mutant in pool:
        ranked.append((stem in seen, stem, mutant))
        seen.add(stem)
    ranked.sort(key=lambda item: item[0])
    return [(stem, mutant) for _, stem, mutant in ranked[:count]]


def place(mutant: Mutant) -> str:
    """Where the error belongs, as the corpus writes it."""
    return f"line {mutant.line}" + (f" column {mutant.column}" if mutant.column else "")


def cases(count: int = PER_SLIP) -> list[Case]:
    """The corpus; what the compiler says is kept from the stored one where the input is unchanged."""
    corpus = HERE / "corpus" / "mistakes.txt"
    known = {case.input: case.sections.get("error", "\n") for case in load(corpus)} if corpus.exists() else {}
    made = []
    for slip in SLIPS:
        for number, (stem, mutant) in enumerate(draw(slip, count), 1):
            sections = {"input": mutant.text, "place": place(mutant) + "\n", "error": known.get(mutant.text, "\n")}
            made.append(Case(f"{slip} {number} in {stem}", corpus, sections))
    return made


def main() -> None:
    """Write the corpus."""
    corpus = HERE / "corpus" / "mistakes.txt"
    corpus.parent.mkdir(exist_ok=True)
    made = cases()
    corpus.write_text(dump(made), encoding="utf-8")
    print(f"{len(made)} mistakes of {len(SLIPS)} kinds; now run pytest --update-golden")


if __name__ == "__main__":
    main()
