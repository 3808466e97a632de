"""What generated Aqua programs are made of: types, names that collide on purpose, and the definitions they all share.

A type is its Aqua text, except functions, which are `Arrow`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Arrow:
    """Type of a function."""

    args: tuple[str, ...] = ()
    results: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As written in an argument list."""
        return f"{', '.join(self.args)} -> {', '.join(self.results) or '()'}".strip()


Type = str | Arrow

# Names the compiler itself makes, names of its results, and plain ones: every collision is wanted.
_NAMES: Final = """
x y z a b c n k s r v id ret item arg arg0 res result out xs ids tmp flag name label num eq neq not and or add sub
mul div pow rem lt lte gt gte x0 s_canon s_gate s_test s_fold_var s_iter_canon s_result_canon s_idx array
array_inline x_flat a_flat x_to_functor x_length n_length literal_ap literal_props ret_0 init_call_res0 relay
error say act twice run peer via on par for join copy concat enter exit canon iter x_canon xs_canon k_idx
service_id option user list tags age
"""
NAMES: Final = tuple(_NAMES.split())
CLASS_NAMES: Final = ("Val", "Box", "Res2", "X")

DATA: Final[dict[str, dict[str, str]]] = {
    "User": {"name": "string", "age": "u32", "tags": "[]string"},
    "Nest": {"user": "User", "list": "[]User", "maybe": "?string"},
    "Wide": {"alpha": "string", "zeta": "u32", "epsilon": "?u32", "gamma": "bool", "delta": "[]u32", "beta": "User"},
}

SERVICES: Final[dict[str, dict[str, Arrow]]] = {
    "Echo": {
        "say": Arrow(("string",), ("string",)),
        "twice": Arrow(("string",), ("[]string",)),
        "ping": Arrow(),
        "num": Arrow(("u32",), ("u32",)),
        "user": Arrow(("string",), ("User",)),
        "opt": Arrow(("string",), ("?string",)),
        "flag": Arrow(("u32",), ("bool",)),
        "nest": Arrow(("User", "[]string"), ("Nest",)),
        "nums": Arrow((), ("[]u32",)),
    },
    "Worker": {
        "run": Arrow(("string",), ("string",)),
        "list": Arrow(("[]string",), ("[]string",)),
        "count": Arrow((), ("u32",)),
        "stop": Arrow(),
    },
    "Store": {
        "get": Arrow(("string",), ("?string",)),
        "put": Arrow(("string", "User"), ("bool",)),
        "all": Arrow((), ("[]User",)),
    },
}
DEFAULT_IDS: Final = {"Echo": '"echo-srv"', "Store": "STORE_ID"}

ABILITIES: Final[dict[str, dict[str, Type]]] = {
    "Abl": {
        "label": "string",
        "num": "u32",
        "act": Arrow(("string",), ("string",)),
        "note": Arrow(("[]string",), ()),
    },
    "Outer": {"inner": "Abl", "size": "u32", "pick": Arrow(("string",), ("string",)), "who": "User"},
    "Sink": {"out": "*string", "emit": Arrow(("string",), ("string",))},
}

CONSTANTS: Final = {"STORE_ID": ("string", '"store"'), "CONST_S": ("string", '"konst"'), "CONST_N": ("u32", "11")}

STRINGS: Final = ('"lit"', '"other"', '"q"', '"zz"', "INIT_PEER_ID", "HOST_PEER_ID", "%init_peer_id%", "CONST_S")
PEERS: Final = ('"12D3KooPeer"', '"12D3KooOther"', "HOST_PEER_ID", "INIT_PEER_ID", '"zz"')

PLAIN: Final = (
    "string",
    "u32",
    "bool",
    "[]string",
    "?string",
    "[]u32",
    "User",
    "[]User",
    "?User",
    "Nest",
    "Wide",
    "u64",
    "i64",
)
STREAMS: Final = ("*string", "*string", "*u32", "*User", "*[]string")
ARROWS: Final = (
    Arrow(("string",), ("string",)),
    Arrow(("[]string",), ()),
    Arrow(("u32",), ("u32",)),
    Arrow((), ("string",)),
    Arrow(("string", "u32"), ("string", "u32")),
    Arrow((), ()),
    Arrow(("User",), ("User",)),
)
# Not for functions that the caller of a program passes.
INNER_ARROWS: Final = (
    Arrow(("*string",), ("u32",)),
    Arrow(("string",), ("*string",)),
    Arrow(("[]string", "u32"), ("[]string", "User")),
    Arrow(("Abl",), ("string",)),
)
USUAL_LABELS: Final = "stuvw"
ODD_LABELS: Final = (
    USUAL_LABELS,
    ("id", "ret", "x", "y", "z"),
    ("ret", "s", "id", "x", "y"),
    ("x", "id", "arg1", "arg0", "s"),
)
"""Labels of members; `id` and `ret` are the names that the compiler's own wrappers use (D3)."""


def element(of: Type) -> str | None:
    """Element type of a collection."""
    if isinstance(of, Arrow):
        return None
    if of.startswith("[]"):
        return of[2:]
    return of[1:] if of[0] in "?*" else None


def accepts(expected: Type, given: Type) -> bool:
    """Whether a value of type `given` may stand where `expected` is wanted (a safe part of the language's rules)."""
    if expected == given:
        return True
    if isinstance(expected, Arrow) or isinstance(given, Arrow):
        return False
    if expected.startswith(("[]", "?")):
        wanted, offered = element(expected), element(given)
        return wanted is not None and offered is not None and accepts(wanted, offered)
    return (expected, given) in (("u64", "u32"), ("i64", "u32"))


@dataclass(frozen=True, slots=True)
class Style:
    """How the shared definitions are written in a program: labels of members, arrow types for them, `?=` for constants."""

    labels: Sequence[str] = USUAL_LABELS
    arrows: bool = False
    overridable: bool = False
    only_used: bool = False


def declarations(style: Style, text: str, *, library: bool = False) -> list[str]:
    """The definitions of `DATA`, `SERVICES`, `ABILITIES` and `CONSTANTS`; those that `text` needs, if only these are wanted.

    A library has no ability and no Worker.
    """
    sign = "?=" if style.overridable else "="
    blocks: dict[str, list[str]] = {name: [f"const {name} {sign} {value}"] for name, (_, value) in CONSTANTS.items()}
    for name, fields in DATA.items():
        blocks[name] = ["", f"data {name}:", *(f"  {field}: {of}" for field, of in fields.items())]
    for name, methods in SERVICES.items():
        default = DEFAULT_IDS.get(name)
        head = f"service {name}({default}):" if default else f"service {name}:"
        blocks[name] = ["", head, *(member(style, method, of) for method, of in methods.items())]
    for name, members in ABILITIES.items():
        blocks[name] = ["", f"ability {name}:", *(member(Style(style.labels), m, of) for m, of in members.items())]
    if library:
        for name in ("Worker", *ABILITIES):
            del blocks[name]
    kept = needed(blocks, text) if style.only_used else set(blocks)
    return [line for name, lines in blocks.items() if name in kept for line in lines]


def needed(blocks: Mapping[str, Sequence[str]], text: str) -> set[str]:
    """Names of the definitions that a text mentions, and of those they mention in turn."""
    found: set[str] = set()
    texts = [text]
    while texts:
        mentioned = set(WORD.findall(texts.pop())) & blocks.keys()
        texts += ["\n".join(blocks[name][1:] or blocks[name]) for name in mentioned - found]
        found |= mentioned
    return found


def member(style: Style, name: str, of: Type) -> str:
    """A member of a service or ability as it is declared."""
    if not isinstance(of, Arrow) or (style.arrows and len(of.results) < 2):
        return f"  {name}: {of}"
    args = ", ".join(f"{label}: {arg}" for label, arg in zip(style.labels, of.args, strict=False))
    return f"  {name}({args})" + (f" -> {', '.join(of.results)}" if of.results else "")
