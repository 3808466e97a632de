"""Worked examples of the specification (aqua-to-air §20.1–20.3), from source to placed operations."""

from __future__ import annotations

from aquac import compile_source
from aquac.topology.text import render

HEAD = """aqua M declares *
export f
service Greet("greet"):
  say(s: string) -> string
  ping()
"""


def check(body, expected):
    compiled = compile_source(HEAD + body)
    assert compiled.ok, compiled.diagnostics
    lines = render(compiled.functions["f"].res).splitlines()
    first = next(at for at, line in enumerate(lines) if "getDataSrv" not in line and at > 1)
    last = next(at for at, line in enumerate(lines) if "response" in line or "errorHandlingSrv" in line)
    indent = len(lines[first]) - len(lines[first].lstrip())
    assert [line[indent:] for line in lines[first:last]] == expected.splitlines()


def test_on_and_return():
    check(
        """func f(name: string, peer: string) -> string:
  on peer:
    r <- Greet.say(name)
  <- r
""",
        """xor
  seq
    hop -relay-
    ret <- call "greet" say(-name-arg-) @ -peer-arg-
    hop -relay-
  seq
    hop -relay-
    hop %init_peer_id%
    fail :error:""",
    )


def test_for_par_on_then_join():
    compiled = compile_source(
        HEAD
        + """func f(ps: []string) -> []string:
  out: *string
  for p <- ps par:
    on p:
      out <- Greet.say("x")
  join out[ps.length - 1]
  <- out
"""
    )
    text = render(compiled.functions["f"].res)
    assert (
        """      par
        fold p-0 <- -ps-arg-
          par
            xor
              seq
                hop -relay-
                ret <- call "greet" say("x") @ p-0
                *out <- ap ret
                hop -relay-
                hop %init_peer_id%
              seq
                hop -relay-
                hop %init_peer_id%
                fail :error:
            next p-0
          last never
"""
        in text
    )
    assert "out_idx <- call " in text
    assert " add(" not in text


def test_if_and_else():
    check(
        """func f(a: string, b: string):
  if a == b:
    Greet.ping()
  else:
    x <- Greet.say(a)
""",
        """new -if-else-error-
  new -else-error-
    new -if-error-
      xor
        match -a-arg- == -b-arg-
          call "greet" ping() @ %init_peer_id%
        seq
          -if-error- <- ap :error:
          xor
            match :error:.error_code == 10001
              ret <- call "greet" say(-a-arg-) @ %init_peer_id%
            seq
              -else-error- <- ap :error:
              xor
                match :error:.error_code == 10001
                  -if-else-error- <- ap -if-error-
                -if-else-error- <- ap -else-error-
              fail -if-else-error-""",
    )
