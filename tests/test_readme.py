"""The files that README and docs name are there."""

import re

import pytest

from app.settings import ROOT

PAGES = ["README.md", "docs/scaling.md"]
NAMED = re.compile(
    r"`((?:app|static|templates|tests|requirements|docs)/[\w./]+|(?:\w+/)*test_\w+\.py)`"
)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text())

    assert named
    assert [
        one for one in named if not any((ROOT / at / one).exists() for at in ("", "tests"))
    ] == []
