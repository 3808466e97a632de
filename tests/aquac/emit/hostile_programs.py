"""Programs that are hard on generators: every type in every place, names that languages reserve, comments that end comments."""

from __future__ import annotations

from typing import Final

SCALARS: Final = ("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "bool", "string")
TYPES: Final = (
    *(before + name for before in ("", "[]", "?") for name in SCALARS),
    *("In", "Out", "?In", "?Out", "[]In", "[]Out", "[][]In", "?[]In", "[]?In", "?[]?In", "[][][]u8", "[]?[]?Out", "⊤"),
)
DATA: Final = """
data In:
  a: u8
  b: ?string

data Out:
  i: In
  oi: ?In
  ai: []In
  aai: [][]In
  oai: ?[]In
  aoi: []?In

"""

WORDS: Final = (
    "abstract", "any", "annotations", "arguments", "args", "assert", "async", "await", "awaitable", "boolean",
    "break", "call", "callFunction", "callParams", "callable", "case", "class", "client", "config", "console",
    "constructor", "continue", "debugger", "declare", "def", "default", "definition", "del", "delete", "dict", "do",
    "elif", "enum", "eval", "except", "exec", "exports", "extends", "final", "finally", "float", "function", "get",
    "global", "globalThis", "hasOwnProperty", "id", "implements", "instanceof", "int", "interface", "is", "json",
    "keyof", "lambda", "len", "let", "list", "match", "methods", "name", "namespace", "never", "new", "none",
    "nonlocal", "null", "number", "object", "of", "package", "pass", "peer", "print", "private", "process",
    "property", "protected", "prototype", "public", "raise", "register", "registerService", "require", "return",
    "runtime", "script", "self", "set", "static", "str", "string", "super", "switch", "symbol", "this", "throw",
    "toString", "trio", "ttl", "tuple", "type", "typeof", "undefined", "unknown", "valueOf", "var", "void", "while",
    "window", "with", "yield",
)  # fmt: skip
"""What ECMAScript, TypeScript, Python or our own modules use."""

TYPE_NAMES: Final = (
    "Any", "Array", "Awaitable", "Boolean", "Callable", "Client", "Date", "Dict", "Ellipsis", "Error", "Exception",
    "False", "Final", "Function", "Generic", "IFluenceClient", "JSON", "List", "Literal", "Map", "Math", "Never",
    "None", "Number", "Object", "Optional", "ParticleContext", "Partial", "Promise", "Protocol", "Record", "Self",
    "Service", "Set", "String", "Symbol", "T", "TYPE_CHECKING", "True", "Union", "ValueError",
)  # fmt: skip


def _exporting(names: list[str], *definitions: str) -> str:
    """A module with definitions, a blank line before each."""
    return "\n".join((f"aqua M declares *\n\nexport {', '.join(names)}\n", *definitions))


def _matrix() -> dict[str, str]:
    names = [f"f{n}" for n in range(len(TYPES))]
    identities = [f"func f{n}(x: {t}) -> {t}:\n  <- x\n" for n, t in enumerate(TYPES)]
    callbacks = [f"func f{n}(x: {t}, f: {t} -> {t}) -> {t}:\n  y <- f(x)\n  <- y\n" for n, t in enumerate(TYPES)]
    methods = "".join(f"  m{n}(x: {t}, y: {t}) -> {t}\n" for n, t in enumerate(TYPES))
    return {
        "identities": _exporting(names, DATA, *identities),
        "callbacks": _exporting(names, DATA, *callbacks),
        "services": _exporting(["S", "T"], DATA, f'service S("s"):\n{methods}', f"service T:\n{methods}"),
    }


def _words() -> dict[str, str]:
    functions = [f"func {word}({word}: string, x: ?u8) -> string:\n  <- {word}\n" for word in WORDS]
    parameters = ", ".join(f"{word}: string" for word in WORDS)
    fields = "".join(f"  {word}: ?string\n" for word in WORDS)
    methods = "".join(f"  {word}({word}: ?string) -> ?D\n" for word in WORDS)
    called = ", ".join('"a"' for _ in WORDS)
    labels = ", ".join("string" for _ in WORDS)
    return {
        "words_functions": _exporting(list(WORDS), *functions),
        "words_arguments": _exporting(["g"], f"func g({parameters}) -> string:\n  <- {WORDS[0]}\n"),
        "words_members": _exporting(
            ["g", "S"], f"data D:\n{fields}", "func g(x: D) -> D:\n  <- x\n", f'service S("s"):\n{methods}'
        ),
        "words_callback": _exporting(["g"], f"func g(f: {labels} -> string) -> string:\n  <- f({called})\n"),
    }


def _type_names() -> dict[str, str]:
    data = [f"data {name}:\n  x: u8\n  y: []string\n" for name in TYPE_NAMES]
    data.append("data All:\n" + "".join(f"  m{n}: {name}\n" for n, name in enumerate(TYPE_NAMES)))
    uses = [f"func f{n}(x: {name}, y: ?{name}, z: []{name}) -> {name}:\n  <- x\n" for n, name in enumerate(TYPE_NAMES)]
    services = [f'service {name}("{name}"):\n  get(x: u8) -> string\n  set(x: []string)\n' for name in TYPE_NAMES]
    # One function cannot be exported under several names, so there is one for each.
    functions = [f"func g{n}(x: []string, y: ?bool) -> string:\n  <- x[0]\n" for n in range(len(TYPE_NAMES))]
    renamed = [f"g{n} as {name}" for n, name in enumerate(TYPE_NAMES)]
    return {
        "names_data": _exporting(
            ["g", *(f"f{n}" for n in range(len(TYPE_NAMES)))], *data, "func g(x: All) -> All:\n  <- x\n", *uses
        ),
        "names_services": _exporting(list(TYPE_NAMES), *services),
        "names_functions": _exporting(renamed, *functions),
    }


COMMENTS: Final = r"""aqua M declares *

export f, g, S

-- */ end /* start `tick` ${x} QQQ ''' \ \n \u0041 \x <b> {@link} @param x
-- trailing backslash \
--
-- é 漢字 😀 "
data D:
  -- field */ QQQ \
  x: u8
  -- q"
  y: ?u8

-- svc */ QQQ \
service S("s"):
  -- method */ QQQ"
  m(x: D) -> D
  -- \
  n()

-- fn QQQ \
func f(x: D) -> D:
  <- x

-- "
func g():
  a = 1
""".replace("QQQ", '"""')

TEXTS: Final = """aqua M declares *

export f, g, S

service S("служба \\ `${x}`"):
  m(s: string) -> string

func f() -> string, string:
  x <- S.m("漢字 😀 \u00e9 \\ ` ${a}")
  <- x, "line\u2028line"

func g() -> i64, f64, bool, string, []u8, ?u8, []⊥:
  <- -5, -1.5, true, "x", [], nil, []
"""

HELPERS: Final = """aqua M declares *

export config, peer, call, script, f_script, f, register, registerS, register_s, S, callFunction, fParams, F, functions

service S("s"):
  call(config: u8, peer: u8)
  config() -> u8

service F("f"):
  a()

func config(config: u8) -> u8:
  <- config

func peer(peer: string) -> string:
  <- peer

func call(call: -> u8) -> u8:
  r <- call()
  <- r

func script(script: u8) -> u8:
  <- script

func f_script():
  a = 1

func f():
  a = 1

func register(x: u8) -> u8:
  <- x

func registerS():
  a = 1

func register_s():
  a = 1

func callFunction():
  a = 1

func fParams(x: u8) -> u8:
  <- x

func functions():
  a = 1
"""

CASES: Final = """aqua M declares *

export f, f2 as F, g as fArg, h as f_script, h2 as FParams, i

data D:
  x: u8

func f(argX: D, x: D, argx: D) -> D:
  <- x

func f2(aB: D, ab: D) -> D, D:
  <- aB, ab

func g(x: D) -> D:
  <- x

func h():
  a = 1

func h2():
  a = 1

func i(one: u8, string, D -> D, none: -> (), two: -> u8, string, many: []D, ?D -> []?D) -> []?D:
  none()
  a, b <- two()
  d <- one(a, b, D(x = 1))
  r <- many([d], nil)
  <- r
"""

PROGRAMS: Final = {
    **_matrix(),
    **_words(),
    **_type_names(),
    "comments": COMMENTS,
    "texts": TEXTS,
    "helpers": HELPERS,
    "cases": CASES,
}
