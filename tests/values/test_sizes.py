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
        (12_345_678_900, "12.35 GB"),
        (9_960_000_000, "9.96 GB"),
        (999_940_000, "999.9 MB"),
        (999_950_000, "1 GB"),
        (100_000_000_000, "100 GB"),
    ],
)
def test_a_size_has_few_decimals_and_the_larger_unit(size: int, shown: str) -> None:
    assert file_size(size) == shown
