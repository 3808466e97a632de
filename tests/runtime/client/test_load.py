"""Aqua files at run time."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from runtime.client import ArgumentError, ProgramInvalid, ResultError, Source, WorkflowError, connect, load, load_source

PROGRAM = """aqua Main
import helper from "helper.aqua"
export run, bad, fails
service Any("any"):
  get() -> []u8
func run(x: u8) -> u8:
  y <- helper(x)
  <- y
func bad() -> []u8:
  x <- Any.get()
  <- x
func fails(x: u8) -> []u8:
  y <- helper(x)
  z <- Any.get()
  <- z
"""
HELPER = """aqua Helper declares *
service Far("far"):
  away(x: u8) -> u8
func helper(x: u8) -> u8:
  y <- Far.away(x)
  <- y
"""


def test_functions_and_services(tmp_path: Path) -> None:
    (tmp_path / "main.aqua").write_text(PROGRAM)
    (tmp_path / "helper.aqua").write_text(HELPER)
    main = load(tmp_path / "main.aqua")
    assert set(main.functions) == {"run", "bad", "fails"}
    assert set(main.services) == {"Any", "Far"}
    assert "run" in dir(main)
    assert main.run.__name__ == "run"
    with pytest.raises(AttributeError, match=r"no function `helper` is exported \(exported: .*\)"):
        _ = main.helper

    async def play() -> None:
        async with connect("local") as client:
            client.register({"away": lambda x: x + 1}, declaration=main.services["Far"])
            assert await main.run(client, 3) == 4
            client.register({"get": lambda: "no number"}, "any")
            with pytest.raises(ResultError, match=r"bad, result: expected \[\]u8, got the string 'no number'") as wrong:
                await main.bad(client)
            assert wrong.value.values == ["no number"]
            assert wrong.value.function == "bad"
            with pytest.raises(ArgumentError, match=r"`bad\(\)` takes 0 arguments, 1 given"):
                await main.bad(client, 1)

            @client.service("far")
            def away(x: int) -> int:
                raise ValueError(x)

            with pytest.raises(WorkflowError) as caught:
                await main.fails(client, 7)
            assert caught.value.source == Source(str(tmp_path / "helper.aqua"), 5)
            assert f"at {tmp_path / 'helper.aqua'}:5" in caught.value.__notes__

    trio.run(play)


def test_programs_with_errors() -> None:
    with pytest.raises(ProgramInvalid, match=r"error\[AQ0201\](.|\n)*source.aqua:4:8") as caught:
        load_source("aqua M\nexport f\nfunc f() -> u8:\n    <- y\n")
    assert [item.code.id for item in caught.value.diagnostics] == ["AQ0201"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProgramInvalid, match=r"no such file: .*nowhere\.aqua"):
        load(tmp_path / "nowhere.aqua")


def test_constants_and_folders(tmp_path: Path) -> None:
    (tmp_path / "helper.aqua").write_text(HELPER)
    text = 'aqua M\nimport helper from "helper.aqua"\nexport f\nfunc f() -> u8:\n  <- N\n'
    main = load_source(text, path="/elsewhere/m.aqua", imports=[tmp_path], constants=["N = 5"])

    async def play() -> object:
        async with connect("local") as client:
            return await main.f(client)

    assert trio.run(play) == 5
