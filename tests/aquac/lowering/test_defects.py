"""Where the reference compiler is wrong and this one is not (spec aqua-to-air §16)."""

import pytest

from aquac import Options, compile_bundle

from .programs import HEADER, calls, script


def check(body: str, *expected: str) -> None:
    """The service calls of `f`, in order; `…` stands for anything."""
    found = calls(body)
    assert len(found) == len(expected), found
    for line, want in zip(found, expected, strict=True):
        assert line.startswith(want.replace("echo", '("echo"')) or want in line, (line, want)


def test_a_method_can_be_called_after_its_use_as_an_expression() -> None:
    body = 'func f() -> string:\n  Worker "w"\n  a <- Echo.say(Worker.run("1"))\n  b <- Worker.run("2")\n  <- b\n'
    check(body, '["1"] ret)', "[ret] ret-0)", '["2"] ret-1)', "[ret-1])")


def test_swapped_arguments_are_substituted_at_once() -> None:
    body = """func g(a: *string, b: *string) -> string:
  <- a[0]

func f() -> string:
  a: *string
  b: *string
  b <<- "b"
  r <- g(b, a)
  <- r
"""
    assert "fold $b b_fold_var" in script(body)
    check(body, "[b_gate.$.[0]])")


@pytest.mark.parametrize("name", ["id", "ret"])
def test_method_parameter_called_like_a_name_of_the_wrapper(name: str) -> None:
    body = f"""aqua Main

export f

service Net("net"):
  connect({name}: string) -> bool

func f(peer: string) -> bool:
  r <- Net.connect(peer)
  <- r
"""
    assert calls(body)[0].startswith('(call %init_peer_id% ("net" "connect") [-peer-arg-] ret')


def test_empty_body_of_a_recursive_loop() -> None:
    body = 'func f():\n  s: *string\n  s <<- "a"\n  for x <- s rec:\n    y = x\n'
    lines = [line.strip() for line in script(body).splitlines()]
    at = lines.index("(next x-0)")
    assert lines[at - 2 : at] == ["(par", "(null)"]


def test_computed_peer_and_via_without_error_propagation() -> None:
    body = 'func f():\n  on Echo.say("p") via ?[Echo.say("v")]:\n    Echo.log("x")\n'
    text = script(body, options=Options(no_xor=True))
    assert text.index('["p"]') < text.index('["v"]') < text.index("-via-peer-")


def test_closure_parameter_hides_a_renamed_local() -> None:
    body = """func g() -> string:
  c = (name: string) -> string:
    r <- Echo.say(name)
    <- r
  name = "outer"
  r <- c("inner")
  <- r

func f() -> string:
  a <- g()
  b <- g()
  <- b
"""
    check(body, '["inner"] ret)', '["inner"] ret-0)', "[ret-0])")


def test_negative_index_is_an_error() -> None:
    body = HEADER + "func f(xs: []string) -> string:\n  i = 1 - 2\n  <- xs[i]\n"
    found = compile_bundle({"main.aqua": body}, "main.aqua")
    assert [d.code.id for d in found.diagnostics if d.is_error] == ["AQ0502"]
    assert "`f`" in found.diagnostics[-1].message


def test_initial_peer_as_service_id() -> None:
    body = 'func f() -> string:\n  Worker INIT_PEER_ID\n  r <- Worker.run("x")\n  <- r\n'
    assert "(ap %init_peer_id% service_id)" in script(body)
    check(body, '(call %init_peer_id% (service_id "run") ["x"] ret)', "[ret])")


def test_exports_of_imported_files_stay_theirs() -> None:
    lib = 'aqua Lib declares *\n\nexport lib\n\nfunc lib() -> string:\n  <- "x"\n'
    main = 'aqua Main\n\nimport "lib.aqua"\n\nexport f\n\nfunc f() -> string:\n  r <- lib()\n  <- r\n'
    found = compile_bundle({"main.aqua": main, "lib.aqua": lib}, "main.aqua")
    assert list(found.functions) == ["f"]


def test_empty_branch_does_nothing_when_its_condition_holds() -> None:
    body = 'func f(c: bool):\n  if c:\n    x = 1\n  else:\n    Echo.log("no")\n'
    lines = [line.strip() for line in script(body).splitlines()]
    at = lines.index("(match -c-arg- true")
    assert lines[at + 1] == "(null)"
    assert lines.index('(call %init_peer_id% ("echo" "log") ["no"])') > at


def test_closure_captures_what_copy_uses() -> None:
    body = """func make(x: string) -> string -> User:
  u <- Echo.user()
  c = (y: string) -> User:
    <- u.copy(name = x)
  <- c

func f(x: string) -> User:
  c <- make(x)
  r <- c("y")
  <- r
"""
    assert '(ap ("name" -x-arg-) %User_obj_copy_map)' in script(body)


def test_what_is_used_in_copy_only_changes_no_numbers() -> None:
    """While the function around is at work the reference finds it, and then its text is right."""
    body = """func h() -> []string:
  x: *string
  x <<- "h"
  <- x

func f() -> User, []string:
  u <- Echo.user()
  x: *string
  x <<- "f"
  c = () -> User:
    <- u.copy(tags = x)
  r <- c()
  y <- h()
  <- r, y
"""
    text = script(body)
    assert '(ap "h" $x-0)' in text
    assert "(canon %init_peer_id% $x  #x_canon)" in text


def test_functions_and_abilities_in_copy_only() -> None:
    body = """ability Namer:
  name(s: string) -> string
  again(s: string) -> string

func make(x: string) -> -> User:
  u <- Echo.user()
  say = (s: string) -> string:
    r <- Echo.say(s)
    <- r
  Worker "w"
  n = Namer(name = say, again = say)
  c = () -> User:
    d = () -> User:
      <- u.copy(name = Worker.run(say(n.name(x))), tags = [say(n.again(x))])
    r <- d()
    <- r
  <- c

func f() -> User:
  c <- make("1")
  r <- c()
  <- r
"""
    check(
        body,
        '(call %init_peer_id% ("echo" "user") [] ret)',
        '["1"] ret-0)',
        "[ret-0] ret-1)",
        '("w" "run") [ret-1] ret-2)',
        '["1"] ret-3)',
        "[ret-3] ret-4)",
        "[User_obj_copy])",
    )


def test_arguments_inside_a_returned_struct() -> None:
    body = """func g(n: string) -> User:
  <- User(name = Echo.say(n), tags = nil)

func f(n: string) -> User:
  u <- g("first")
  <- u
"""
    check(body, '["first"] ret)', "[User_obj])")


def test_returned_parameter_that_was_frozen() -> None:
    body = "func g(a: []string) -> []string:\n  <- a\n\nfunc f() -> []string:\n  s: *string\n  r <- g(s)\n  <- r\n"
    check(body, "[#s_canon])")


def test_closure_pushes_into_the_stream_of_its_own_inlining() -> None:
    body = """func g(n: string) -> []string:
  s: *string
  c = (x: string):
    s <<- x
  c(n)
  <- s

func f() -> []string:
  a <- g("1")
  b <- g("2")
  <- b
"""
    text = script(body)
    first, second = (text[text.index(f'(ap "{n}"') :].split(")")[0].split()[-1] for n in (1, 2))
    assert first != second
    assert f"(canon %init_peer_id% {second} " in text


def test_stream_literal_inlined_twice_is_two_streams() -> None:
    body = """func g(n: string) -> []string:
  s = *[n]
  <- s

func f() -> []string:
  a <- g("1")
  b <- g("2")
  <- b
"""
    text = script(body)
    assert '(ap "1" $stream-anon-0)' in text
    assert '(ap "2" $stream-anon-0-0)' in text


def test_service_of_a_used_module_in_a_function_inlined_twice() -> None:
    lib = 'aqua Lib declares *\n\nservice S("s"):\n  m(a: string) -> string\n'
    main = """aqua Main

use "lib.aqua"

export f

func g(n: string) -> string:
  x <- Lib.S.m(n)
  <- x

func f() -> string:
  a <- g("1")
  b <- g("2")
  <- b
"""
    assert [line.split("[")[1] for line in calls(main, lib=lib)] == ['"1"] ret)', '"2"] ret-0)', "ret-0])"]


def test_a_field_of_the_error_is_copied_under_a_name_air_accepts() -> None:
    body = 'func f():\n  try:\n    Echo.log("a")\n  catch e:\n    m = e.message\n    Echo.log(m)\n'
    assert "(ap :error:.$.message error_flat)" in script(body)
    check(body, '["a"])', "[error_flat])")


def test_a_function_cannot_be_sent_to_a_service() -> None:
    body = """aqua Main

export f

service S("s"):
  find(p: string -> bool) -> bool

func f(p: string -> bool) -> bool:
  r <- S.find(p)
  <- r
"""
    found = compile_bundle({"main.aqua": body}, "main.aqua")
    assert [d.code.id for d in found.diagnostics if d.is_error] == ["AQ0501"]
