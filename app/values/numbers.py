"""Whole numbers that come from outside (URLs, forms, headers, settings), and numbers of pages."""

from math import ceil

GREATEST_ID = 2**63 - 1
MOST_DIGITS = 4_300  # `int` reads no more


def whole_number(text: str, *, least: int = 0, most: int | None = GREATEST_ID) -> int | None:
    """The number that ASCII digits spell, from `least` to `most`, without an upper limit if that is
    None; None for anything else.
    """
    digits = MOST_DIGITS if most is None else len(str(most))
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        return None
    number = int(text)
    return number if number >= least and (most is None or number <= most) else None


def page_count(total: int, per_page: int) -> int:
    """How many pages there are. An empty list has one."""
    return max(1, ceil(total / per_page))
