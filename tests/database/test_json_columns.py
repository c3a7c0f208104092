"""Stored JSON is read, including the numbers that only Python writes."""

import json
from typing import Any

import pytest

from app.database.json_columns import read_json


@pytest.mark.parametrize(
    "value",
    [{"title": "Reel \N{CLAPPER BOARD}", "length": 1.5}, [None, True, 10**30], "\ud83c", 1e308],
)
def test_json_written_by_python_is_read(value: Any) -> None:
    assert read_json(json.dumps(value)) == value


def test_nan_is_read() -> None:
    assert str(read_json(json.dumps(float("nan")))) == "nan"


def test_invalid_json_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        read_json("{title: Reel}")
