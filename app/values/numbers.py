"""Whole numbers that come from outside (URLs, forms, headers, settings), and numbers of pages."""

from math import ceil

GREATEST_ID = 2**63 - 1


def whole_number(text: str, *, least: int = 0, most: int = GREATEST_ID) -> int | None:
    """The number that ASCII digits spell, from `least` to `most`; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    return int(text) if least <= int(text) <= most else None


def page_count(total: int, per_page: int) -> int:
    """How many pages there are. An empty list has one."""
    return max(1, ceil(total / per_page))
