"""The stored value of a failed call."""

from __future__ import annotations

from typing import Any

import pytest

from avm.errors import VmError
from avm.exec.service_failure import read_failure


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"message": "m", "ret_code": -1}, (-1, "m")),
        ({"message": "m", "ret_code": 1, "more": []}, (1, "m")),
        ([2, "m"], (2, "m")),
    ],
)
def test_accepted(value: Any, expected: tuple[int, str]) -> None:
    assert read_failure(value) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "missing field `ret_code`"),
        ({"ret_code": 1}, "missing field `message`"),
        ({"message": "m"}, "missing field `ret_code`"),
        ({"message": 1, "ret_code": 1}, "invalid type: integer `1`, expected a string"),
        ({"message": "m", "ret_code": "1"}, 'invalid type: string "1", expected i32'),
        ({"message": "m", "ret_code": 2**31}, "invalid value: integer `2147483648`, expected i32"),
        ({"message": "m", "ret_code": 1.5}, "invalid type: floating point `1.5`, expected i32"),
        ({"message": "m", "ret_code": 1.0}, "invalid type: floating point `1`, expected i32"),
        ({"message": None, "ret_code": 1}, "invalid type: null, expected a string"),
        ("text", 'invalid type: string "text", expected struct CallServiceFailed'),
        (True, "invalid type: boolean `true`, expected struct CallServiceFailed"),
        ([{}], "invalid type: map, expected i32"),
        ([], "invalid length 0, expected struct CallServiceFailed with 2 elements"),
        ([1, "m", 2], "invalid length 3, expected fewer elements in array"),
        ([1], "invalid length 1, expected struct CallServiceFailed with 2 elements"),
    ],
)
def test_refused(value: Any, reason: str) -> None:
    with pytest.raises(VmError) as caught:
        read_failure(value)
    assert caught.value.code == 20012
    assert caught.value.message == f"failed to deserialize to CallServiceFailed: {reason}"
