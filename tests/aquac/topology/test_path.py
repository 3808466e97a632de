"""Paths of frames: what lies between two of them, relays, common parts."""

from __future__ import annotations

from aquac.lowering import model as m
from aquac.semantics import types as t
from aquac.topology.path import (
    Frames,
    common_outer,
    find_path,
    find_path_enforced,
    peer_of,
    relay_to_visit,
)

FRAMES = Frames()


def v(name):
    return m.V(name, t.STRING)


def path(text):
    """`p<a<b q` is: innermost frame p via b then a … outermost frame q; vias are written nearest first."""
    return tuple(frame(part) for part in text.split())


def frame(text):
    peer, *via = text.split("<")
    return FRAMES.make(v(peer), tuple(v(x) for x in reversed(via)))


def check(start, end, expected):
    assert [hop.name for hop in find_path(path(start), path(end))] == expected.split()


def test_no_way_to_go():
    check("p q", "p q", "")
    check("", "", "")


def test_out_and_home():
    check("I<R", "p I<R", "R")
    check("p I<R", "I<R", "R")
    check("p<b<a I<R", "I<R", "b a R")
    check("I<R", "p<b<a I<R", "R a b")


def test_what_both_share_is_not_left():
    check("p<a I<R", "q<a I<R", "a")
    check("q x<a I<R", "p x<a I<R", "")


def test_the_side_without_frames_of_its_own_still_uses_its_relay():
    check("I<R", "p x I<R", "R")
    check("p x<a I<R", "x<a I<R", "a")


def test_loops_are_cut():
    check("p<a<R I<R", "I<R", "a R")
    check("p<a I<a", "q<a I<a", "a")


def test_same_peer_in_both_places_is_not_visited():
    check("p<a I<R", "p<a", "")


def test_enforced_path_ends_with_the_target():
    assert find_path_enforced(path("I<R"), path("p I<R")) == [v("R"), v("p")]
    assert find_path_enforced(path("p"), path("p")) == [v("p")]
    assert find_path_enforced(path("p"), ()) == []


def test_relay_is_visited_when_it_is_the_target_behind_itself():
    assert relay_to_visit(path("p I<R"), path("R I<R")) == [v("R")]
    assert relay_to_visit(path("R"), path("R I<R")) == []
    assert relay_to_visit(path("p"), path("q I<R")) == []
    assert relay_to_visit(path("p"), path("R")) == []


def test_to_relay_is_the_nearest_last_via():
    assert FRAMES.to_relay(path("p I<R")) == path("R")
    assert FRAMES.to_relay(path("p<b<a I<R")) == path("b<a I<R")
    assert FRAMES.to_relay(path("p q")) == ()


def test_frames_are_one_object_per_value_and_differ_by_type():
    assert frame("p<a") is frame("p<a")
    literal = FRAMES.make(m.L("%init_peer_id%", t.STRING), ())
    written = FRAMES.make(m.L("%init_peer_id%", t.STRING_LITERAL), ())
    assert literal is not written
    assert FRAMES.make(v("p"), (), "relay") is not FRAMES.make(v("p"), ())


def test_common_outer_part():
    assert common_outer(path("a b c"), path("x b c")) == path("b c")
    assert common_outer(path("a"), path("b")) == ()
    assert peer_of(()) is None
