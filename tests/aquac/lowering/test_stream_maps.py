"""Methods of stream maps and everything that treats a map as a stream."""

import pytest

from .programs import script

BODY = 'func f(k: string, u: User) -> {result}:\n  m: %string\n  m <<- k, "v"\n  r = m.{method}\n  <- r\n'


def check(method: str, result: str, *expected: str) -> None:
    """Lines that must follow each other in this order, other lines between them allowed."""
    lines = iter([line.strip() for line in script(BODY.format(method=method, result=result)).splitlines()])
    for want in ("(new %m", '(ap (-k-arg- "v") %m)', *expected):
        assert want in lines, want


@pytest.mark.parametrize(
    ("method", "result", "expected"),
    [
        ('get("x")', "[]string", ["(canon %init_peer_id% %m  #%-m_canon)", '(ap "x" -m_idx)']),
        ("get(k)", "[]string", ["(canon %init_peer_id% %m  #%-m_canon)", "(ap #%-m_canon.$.[-k-arg-] -m_canon_flat)"]),
        ("get(u.name)", "[]string", ["(ap -u-arg-.$.name --u-arg-_ap)", "(canon %init_peer_id% %m  #%-m_canon)"]),
        ("contains(k)", "bool", ["(ap #%-m_canon.$.[-k-arg-] -m_array)", "(match -m_array.length 0", "(ap true -m_contains_result)"]),
        ("keys()", "[]string", ["(fold #%-m_canon -m_iter", "(ap -m_iter.$.key $-m_stream)", "(next -m_iter)"]),
        ("keysStream()", "[]string", ["(fold %m -m_iter", "(ap -m_iter.$.key $-m_keys_stream_result)", "(never)"]),
        ("getStream(k)", "[]string", ["(match -m_iter.$.key -k-arg-", "(ap -m_iter.$.value $-m_get_stream_result)"]),
    ],
)  # fmt: skip
def test_methods(method: str, result: str, expected: list[str]) -> None:
    check(method, result, *expected)


def test_results_of_two_values_are_inserted() -> None:
    body = 'func g() -> string, string:\n  <- "a", "b"\n\nfunc f():\n  m: %string\n  m <- g()\n'
    assert '(ap ("a" "b") %m)' in script(body)


def test_a_map_is_passed_as_it_is() -> None:
    body = 'func g(n: %string):\n  n <<- "k", "v"\n\nfunc f():\n  m: %string\n  g(m)\n  g(m)\n'
    assert script(body).count('(ap ("k" "v") %m)') == 2


def test_loop_over_entries() -> None:
    body = "func f():\n  m: %string\n  for e <- m:\n    Echo.log(e.key)\n"
    text = script(body)
    assert "(fold #%m_canon e-0" in text
    assert "[e-0.$.key]" in text
