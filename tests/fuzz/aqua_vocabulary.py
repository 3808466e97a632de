"""What generated Aqua programs are made of: types, names that collide on purpose, and the definitions they all share.

A type is its Aqua text, except functions, which are `Arrow`. Methods called `id` or `ret` do not occur: the reference gets
them wrong (defect D3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


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
STREAMS: Final = ("*string", "*u32", "*User")
ARROWS: Final = (
    Arrow(("string",), ("string",)),
    Arrow(("[]string",), ()),
    Arrow(("u32",), ("u32",)),
    Arrow((), ("string",)),
    Arrow(("string", "u32"), ("string", "u32")),
    Arrow((), ()),
    Arrow(("User",), ("User",)),
)


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


def declarations(library: bool) -> list[str]:
    """The definitions of `DATA`, `SERVICES`, `ABILITIES` and `CONSTANTS`; a library has no ability and no Worker."""
    lines = [f"const {name} = {text}" for name, (_, text) in CONSTANTS.items()]
    for name, fields in DATA.items():
        lines += ["", f"data {name}:", *(f"  {field}: {of}" for field, of in fields.items())]
    for name, methods in SERVICES.items():
        if library and name == "Worker":
            continue
        default = DEFAULT_IDS.get(name)
        lines += ["", f"service {name}({default}):" if default else f"service {name}:"]
        lines += [f"  {method}{signature(of)}" for method, of in methods.items()]
    for name, members in () if library else ABILITIES.items():
        lines += ["", f"ability {name}:"]
        lines += [f"  {m}{signature(of)}" if isinstance(of, Arrow) else f"  {m}: {of}" for m, of in members.items()]
    return lines


def signature(of: Arrow) -> str:
    """`(arg0: string) -> u32`, as a member is declared."""
    labels = "stuvw"
    args = ", ".join(f"{label}: {arg}" for label, arg in zip(labels, of.args, strict=False))
    return f"({args})" + (f" -> {', '.join(of.results)}" if of.results else "")
