"""Which features generated programs have, counted by their texts.

python -m tests.fuzz.aqua_features --programs 2000 --seed 0
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tests.fuzz.aqua_generator import Program, generate

_TEXTS: Final = {
    "import names": r"^import \w+.* from ",
    "import under another name": r"^import .* as \w+.* from ",
    "use a file": r"^use \"lib",
    "use a file as": r"^use \"lib.* as ",
    "use names": r"^use lib\d.* from .* as ",
    "use names under others": r"^use lib\d as .* from ",
    "a file that declares some names": r"^aqua Lib declares [^*]",
    "a file behind a file": r"^aqua Base",
    "export under another name": r"^export .* as ",
    "export of a service": r"^export .*\b(Echo|Store)\b",
    "export of an imported function": r"^export .*\blib\d|^export .*\botherlib\d",
    "seven exports": r"^export (\w+( as \w+)?, ){4,}",
    "constant that can be given": r"\?= ",
    "service of a used module": r"\b(Zed|Lib)\.Echo\.",
    "service with an explicit id": r"^ +(Worker|Store|Echo) \S+$",
    "service in a variable": r"^ +\w+ = (Echo|Worker|Store)$",
    "method in a variable": r"^ +\w+ = (Echo|Worker|Store)\.\w+$",
    "service as an argument": r"^func .*: Echo[,)]",
    "members written as arrow types": r"^  say: string -> string",
    "ability in braces": r"^func \w+\{",
    "ability as an argument": r"^func .*: (Abl|Outer|Sink)[,)]",
    "ability as a result": r"^func .*-> .*\b(Abl|Outer|Sink)\b.*:$",
    "ability literal": r" = (Abl|Outer|Sink)\(",
    "ability literal in an ability literal": r"\(inner = Abl\(",
    "closure": r"^ +\w+ = (func )?\(.*:$",
    "closure with a stream": r"^ +\w+ = (func )?\(\w+: \*string\)",
    "closure with an ability": r"^ +\w+ = (func )?\(\w+: Abl\)",
    "closure that returns a stream": r"^ +\w+ = (func )?\(.*\) -> \*",
    "closure as a result": r"^func .*-> .*-> .*:$",
    "function as an argument": r"^func .*: (\w+|\[\]string|)(, \w+)* ?-> ",
    "stream as an argument": r"^func .*: \*",
    "stream as a result": r"^func .*-> (.*, )?\*",
    "stream of arrays": r"^ +\w+: \*\[\]string",
    "stream literal": r"\*\[",
    "many streams": r"(^ +\w+: \*\w+$\n(^ +\w+ <<- .*\n)?){5}",
    "push": r" <<- ",
    "result into a stream or variable": r"^ +\w+ <- ",
    "several results": r"^ +\w+, \w+.* <- ",
    "join": r"^ +join \w",
    "join of several": r"^ +join \S+, ",
    "join at a computed place": r"join \w+\[\w+\.\w|join \w+\[\w+ [+*]",
    "par": r"^ +par ",
    "co": r"^ +co ",
    "par for": r"^ +par for ",
    "co on": r"^ +co on ",
    "par join": r"^ +par join ",
    "for": r"^ +for \w+ <- [^:]*[^rycb]:$",
    "for par": r"for \w+ <- .* par:$",
    "for try": r"for \w+ <- .* try:$",
    "for rec": r"for \w+ <- .* rec:$",
    "parseq": r"^ +parseq ",
    "parseq via": r"^ +parseq .* via ",
    "if": r"^ +if ",
    "if equal": r"^ +if \(.* == ",
    "if unequal": r"^ +if \(.* != ",
    "else": r"^ +else:",
    "try": r"^ +try:",
    "catch": r"^ +catch ",
    "otherwise": r"^ +otherwise:",
    "on": r"^ +on [^<]*:$",
    "on via": r"^ +on .* via ",
    "on via several": r"^ +on .* via .* via ",
    "on a computed peer": r"^ +on [\w.]+\(",
    "on via a literal": r"^ +on .* via \?\[",
    "copy": r"\.copy\(",
    "length": r"\.length",
    "option literal": r"\?\[\w",
    "empty literals": r"\bnil\b|\?\[\]|[^?*\w]\[\]",
    "data literal": r"(User|Nest|Wide)\(",
    "arithmetic": r" [-+/%] ",
    "power": r" \*\* ",
    "multiplication of fractions": r"\d\.\d+ \* ",
    "comparison": r" (<|>|<=|>=) ",
    "logic": r" (&&|\|\|) ",
    "negation": r"!\(",
    "index": r"\w\[",
    "index with !": r"\w!",
    "last error": r"LAST_ERROR",
    "particle": r"PARTICLE_(TTL|TIMESTAMP)",
    "peers": r"HOST_PEER_ID|INIT_PEER_ID",
    "arguments on several lines": r"\(\n",
}
FEATURES: Final = {name: re.compile(pattern, re.MULTILINE) for name, pattern in _TEXTS.items()}
NESTED: Final = {
    "closure in a closure": re.compile(r" +\w+ = (func )?\(.*:$"),
    "if in an if": re.compile(r" +if "),
    "on in an on": re.compile(r" +on "),
    "for in a for": re.compile(r" +((par|co) )?for "),
    "try in a try": re.compile(r" +try:"),
}
"""First lines of blocks that also occur inside blocks that begin like them."""
LONG: Final = 100


def features(program: Program) -> set[str]:
    """Names of the features a program has, those of its options and size included."""
    text = "\n".join(program.files.values())
    found = {name for name, pattern in FEATURES.items() if pattern.search(text)}
    found |= {name for name, head in NESTED.items() if nested(text, head)}
    found |= {f"option {name}" for name in program.options}
    body = text.partition("\nfunc ")[2]
    return found | ({"long"} if body.count("\n") >= LONG else set())


def nested(text: str, head: re.Pattern[str]) -> bool:
    """Whether a block whose first line matches stands inside another such block."""
    around: list[int] = []
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        while around and indent <= around[-1]:
            around.pop()
        if head.match(line):
            if around:
                return True
            around.append(indent)
    return False


def count(programs: Iterable[Program]) -> Counter[str]:
    """In how many programs each feature occurs."""
    counts: Counter[str] = Counter(dict.fromkeys((*FEATURES, *NESTED), 0))
    for program in programs:
        counts.update(features(program))
    return counts


def main(argv: list[str] | None = None) -> int:
    """Print the counts, rarest first."""
    parser = argparse.ArgumentParser(prog="aqua_features", description="count features of generated programs")
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    counts = count(map(generate, range(args.seed, args.seed + args.programs)))
    for name, number in sorted(counts.items(), key=lambda item: item[1]):
        print(f"{number:7} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
