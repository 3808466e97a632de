"""The matrix of variables, against a literal model of its rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm.errors import VmError
from avm.exec.scopes import EMPTY, Scopes


class Model:
    """The rules as they are written down, walking all names in each clean-up."""

    def __init__(self, count: int) -> None:
        self.cells: list[list[tuple[int, object]]] = [[] for _ in range(count)]
        self.visible = {0}
        self.depth = 0

    def clean(self) -> None:
        for stack in self.cells:
            if stack and stack[-1][0] > self.depth:
                stack.pop()

    def apply(self, op: str, slot: int, value: int) -> object:
        match op:
            case "fold":
                self.depth += 1
                self.visible.add(self.depth)
            case "next":
                self.visible.remove(self.depth)
                self.depth += 1
                self.visible.add(self.depth)
            case "after":
                self.visible.remove(self.depth)
                self.depth -= 1
                self.visible.add(self.depth)
                self.clean()
            case "end":
                self.visible.remove(self.depth)
                self.depth -= 1
                self.clean()
            case "new":
                self.cells[slot].append((self.depth, EMPTY))
            case "set":
                stack = self.cells[slot]
                if not stack:
                    stack.append((self.depth, value))
                elif self.depth == 0 and stack[-1][1] is not EMPTY:
                    return 20007
                elif stack[-1][0] == self.depth:
                    stack[-1] = (self.depth, value)
                else:
                    stack.append((self.depth, value))
            case "new_end":
                stack = self.cells[slot]
                if not stack or stack[-1][0] != self.depth:
                    return 20008
                stack.pop()
        return None

    def find(self, slot: int) -> object:
        stack = self.cells[slot]
        return stack[-1][1] if stack and stack[-1][0] in self.visible else None


def apply(scopes: Scopes, op: str, slot: int, value: int) -> object:
    try:
        match op:
            case "fold":
                scopes.fold_start()
            case "next":
                scopes.before_next()
            case "after":
                scopes.after_next()
            case "end":
                scopes.fold_end()
            case "new":
                scopes.new_start(slot)
            case "set":
                scopes.set(slot, value)
            case "new_end":
                scopes.new_end(slot)
    except VmError as error:
        return error.code
    return None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fold", "next", "set", "set", "set", "new", "leave", "leave", "new_end"]),
            st.integers(0, 2),
            st.integers(1, 9),
        ),
        max_size=60,
    )
)
def test_equals_the_rules(steps: list[tuple[str, int, int]]) -> None:
    scopes, model = Scopes(["x", "y", "z"]), Model(3)
    opened: list[str] = []
    for name, slot, value in steps:
        op = name
        if op == "leave":
            if not opened:
                continue
            op = opened.pop()
        elif op == "fold":
            opened.append("end")
        elif op == "next":
            if not opened:
                continue
            opened.append("after")
        assert apply(scopes, op, slot, value) == model.apply(op, slot, value)
        assert scopes.depth == model.depth
        for other in range(3):
            assert scopes.find(other) is model.find(other) or scopes.find(other) == model.find(other)
            # also where the top cell is hidden
            assert scopes.settable(other) == (
                model.depth != 0 or (bool(model.cells[other]) and model.cells[other][-1][1] is EMPTY)
            )


def test_a_value_of_one_iteration_hides_a_global_in_later_ones() -> None:
    scopes = Scopes(["x"])
    scopes.set(0, "global")
    scopes.fold_start()
    assert scopes.get(0) == "global"
    scopes.set(0, "first")
    scopes.before_next()
    with pytest.raises(VmError, match="wasn't defined"):
        scopes.get(0)
    scopes.after_next()
    assert scopes.get(0) == "first"
    scopes.fold_end()
    assert scopes.get(0) == "global"


def test_new_clears_until_it_ends() -> None:
    scopes = Scopes(["x"])
    scopes.set(0, 1)
    scopes.new_start(0)
    with pytest.raises(VmError) as caught:
        scopes.get(0)
    assert caught.value.code == 10009
    scopes.set(0, 2)
    with pytest.raises(VmError) as caught:
        scopes.set(0, 3)
    assert caught.value.code == 20007
    scopes.new_end(0)
    assert scopes.get(0) == 1


def test_new_end_without_its_cell() -> None:
    scopes = Scopes(["x"])
    with pytest.raises(VmError) as caught:
        scopes.new_end(0)
    assert (caught.value.code, caught.value.message) == (
        20008,
        "new end block tries to pop up a variable 'x' that wasn't defined at depth 0",
    )
