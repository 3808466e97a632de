"""Services from Python and JSON files: what fits a declaration, what does not, and where the message points."""

from __future__ import annotations

import json
import textwrap

import pytest
import trio

from aquac.command_line import CommandError
from runtime.provided import load_callback, load_service
from runtime.python_services import Declaration, service

STRING = {"name": "string", "tag": "scalar"}
U8 = {"name": "u8", "tag": "scalar"}
OPTION = {"type": STRING, "tag": "option"}
NIL = {"tag": "nil"}


def arrow(result=None, **arguments):
    return {
        "tag": "arrow",
        "domain": {"fields": arguments, "tag": "labeledProduct"} if arguments else NIL,
        "codomain": {"items": [result], "tag": "unlabeledProduct"} if result else NIL,
    }


DECLARED = Declaration(
    "Greeter",
    "greeter",
    {"hello": arrow(STRING, name=STRING), "maybe": arrow(OPTION, name=OPTION), "ping": arrow()},
)
GOOD = """
from runtime.python_services import service

@service("greeter")
class Greeter:
    def __init__(self):
        self.count = 0
    def hello(self, name: str) -> str:
        self.count += 1
        return f"hello {name} {self.count}"
    async def maybe(self, name):
        return None if name is None else name.upper()
    def ping(self):
        return "ignored"
"""


def load(tmp_path, text, *, name="Greeter", suffix=".py", declarations=(DECLARED,)):
    path = tmp_path / f"file{suffix}"
    path.write_text(textwrap.dedent(text) if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return load_service(f"{name}={path}", declarations)


def call(provided, name, *values):
    async def main():
        result = provided.handlers[name](list(values), None)
        return await result if hasattr(result, "__await__") else result

    return trio.run(main)


def check_refused(tmp_path, text, message, **options):
    with pytest.raises(CommandError, match=message) as caught:
        load(tmp_path, text, **options)
    assert caught.value.exit_code == 2


def test_a_class(tmp_path):
    provided = load(tmp_path, GOOD)
    assert (provided.peer, provided.service_id) == ("client", "greeter")
    assert call(provided, "hello", "ann") == "hello ann 1"
    assert call(provided, "hello", "bob") == "hello bob 2"
    assert call(provided, "maybe", []) == []
    assert call(provided, "maybe", ["x"]) == ["X"]
    assert call(provided, "ping") is None


def test_by_id_and_on_another_peer(tmp_path):
    assert load(tmp_path, GOOD, name="greeter@relay")[:2] == ("relay", "greeter")


def test_functions_of_a_file(tmp_path):
    text = (
        "import os\ndef hello(name): return name\ndef maybe(name): return name\ndef ping(): pass\ndef _hidden(): pass\n"
    )
    provided = load(tmp_path, text)
    assert sorted(provided.handlers) == ["hello", "maybe", "ping"]
    assert call(provided, "hello", "x") == "x"


def test_a_service_that_is_not_declared(tmp_path):
    provided = load(tmp_path, "def f(*values): return list(values)", name="dyn-1", declarations=())
    assert provided.service_id == "dyn-1"
    assert call(provided, "f", 1, "x") == [1, "x"]


def test_one_of_several_classes(tmp_path):
    text = GOOD + '\n@service("other")\nclass Other:\n    def f(self): return 1\n'
    assert load(tmp_path, text).service_id == "greeter"
    check_refused(tmp_path, text, "several services", name="unknown", declarations=())


def test_the_context(tmp_path):
    text = "def hello(name, context): return name + context\ndef maybe(name): return name\ndef ping(context): pass\n"
    provided = load(tmp_path, text)

    async def main():
        return await provided.handlers["hello"](["a"], "b")

    assert trio.run(main) == "ab"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("def ping(self)", "def pong(self)"),
            r"file\.py: service Greeter declares `ping: nothing -> nothing`, but there is no",
        ),
        (("def ping(self)", "def ping(self, x)"), r"file\.py:13: Greeter\.ping takes 1 arguments, the declaration"),
        (("maybe(self, name)", "maybe(self)"), r"file\.py:11: Greeter\.maybe takes 0 arguments"),
        (
            ("name: str", "name: int"),
            r"file\.py:8: parameter `name` of Greeter\.hello is annotated int, but declared as string",
        ),
        (
            ("-> str", "-> list[str]"),
            r"file\.py:8: the result of Greeter\.hello is annotated list, but declared as string",
        ),
        (('"greeter"', '"greter"'), r"marked 'greter', but the program declares the id 'greeter'"),
        (("self.count = 0", "self.count = 1 / 0"), r"file\.py:4: Greeter\(\) failed: ZeroDivisionError"),
        (("class Greeter:", "class Greeter"), r"file\.py:5: "),
        (("import service", "import servise"), r"file\.py:2: ImportError"),
        (('@service("greeter")', "@service()"), r"file\.py:4: TypeError"),
    ],
)
def test_python_files_that_do_not_fit(tmp_path, change, message):
    assert change[0] in GOOD
    check_refused(tmp_path, GOOD.replace(*change), message)


def test_files_that_are_none(tmp_path):
    check_refused(tmp_path, "x = 1", "no class marked with @service and no public function")
    for name in ("missing.py", "missing.json"):
        with pytest.raises(CommandError, match=name):
            load_service(f"Greeter={tmp_path / name}", (DECLARED,))
    for text, message in (
        ("Greeter", "expected NAME=file"),
        ("=x.py", "expected NAME=file"),
        ("Greeter=", "expected NAME=file"),
        ("Greeter@=x.py", "no peer after `@`"),
        ("Greeter=x.txt", "expected a .py, .json, .wasm, .toml, .tar or .zip file"),
    ):
        with pytest.raises(CommandError, match=message):
            load_service(text, (DECLARED,))


def test_results_are_checked(tmp_path):
    provided = load(tmp_path, GOOD.replace('return f"hello {name} {self.count}"', "return 5"))
    with pytest.raises(ValueError, match="hello, result: expected string, got the number 5"):
        call(provided, "hello", "x")


def test_the_decorator_needs_an_id():
    with pytest.raises(TypeError):
        service("")


CANNED = {"hello": {"results": ["a", "b"]}, "maybe": {"cases": [{"args": [None], "result": "none"}, {"result": None}]}, "ping": {"error": "no"}}  # fmt: skip


def test_canned_answers(tmp_path):
    provided = load(tmp_path, CANNED, suffix=".json")
    assert [call(provided, "hello", "x") for _ in range(4)] == ["a", "b", "b", "b"]
    assert call(provided, "maybe", []) == ["none"]
    assert call(provided, "maybe", ["y"]) == []
    with pytest.raises(RuntimeError, match="no"):
        call(provided, "ping")


def test_no_case(tmp_path):
    provided = load(tmp_path, CANNED | {"hello": {"cases": [{"args": ["x"], "error": "bad x"}]}}, suffix=".json")
    with pytest.raises(RuntimeError, match="bad x"):
        call(provided, "hello", "x")
    with pytest.raises(RuntimeError, match=r'no case for the arguments \["y"\]'):
        call(provided, "hello", "y")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "expected an object of methods"),
        ({}, "declares `hello: name: string -> string`, but the file has no `hello`"),
        (CANNED | {"more": {"result": 1}}, "declares no method `more`"),
        (CANNED | {"hello": 1}, "hello: expected an object with one of"),
        (CANNED | {"hello": {"result": 1}}, "hello: expected string, got the number 1"),
        (CANNED | {"hello": {"result": "x", "error": "y"}}, "hello: expected an object with one of"),
        (CANNED | {"hello": {"results": []}}, "at least one"),
        (CANNED | {"hello": {"cases": [1]}}, "array of objects"),
        (CANNED | {"hello": {"cases": [{"args": []}]}}, "case 0: expected `result` or `error`"),
        (CANNED | {"hello": {"cases": [{"args": [], "result": "x"}]}}, "case 0: 0 arguments, the method has 1"),
        (CANNED | {"hello": {"cases": [{"args": [1], "result": "x"}]}}, "case 0, name: expected string"),
        (CANNED | {"hello": {"cases": [{"args": 1, "result": "x"}]}}, "`args` must be an array"),
    ],
)
def test_json_files_that_do_not_fit(tmp_path, document, message):
    check_refused(tmp_path, document, message, suffix=".json")


def test_json_files_that_are_none(tmp_path):
    check_refused(tmp_path, "{", "not JSON", suffix=".json")
    path = tmp_path / "bytes.json"
    path.write_bytes(b"\xff")
    with pytest.raises(CommandError, match="not UTF-8"):
        load_service(f"Greeter={path}", ())


def test_callbacks(tmp_path, capsys):
    path = tmp_path / "cb.py"
    path.write_text("def cb(text): return text * 2\ndef other(a, b): pass\n", encoding="utf-8")
    declared = {"cb": arrow(STRING, text=STRING), "p": arrow(text=STRING)}
    name, function = load_callback(f"cb={path}", declared)
    assert name == "cb"

    async def main():
        return await function(["ab"])

    assert trio.run(main) == "abab"
    name, function = load_callback("p=print", declared)
    assert (name, function(["x", 1])) == ("p", None)
    assert capsys.readouterr().err == 'p("x", 1)\n'
    for text, message in (
        (f"cb={path}:other", "takes 2 arguments"),
        (f"cb={path}:nothing", "has no function `nothing`"),
        ("cb=file.txt", "expected `print` or a .py file"),
        ("cb", "expected NAME="),
    ):
        with pytest.raises(CommandError, match=message):
            load_callback(text, declared)
