"""Sizes of files as users read them."""

import pytest

from app.values.sizes import file_size


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 MB"),
        (1, "0.1 MB"),
        (450_000, "0.5 MB"),
        (500_000_000, "500 MB"),
        (10_000_000_000, "10 GB"),
        (12_340_000_000, "12.3 GB"),
    ],
)
def test_a_size_has_at_most_one_decimal_and_the_larger_unit(size: int, shown: str) -> None:
    assert file_size(size) == shown
