"""The data of the mutation run names files and lines that exist."""

import pytest

from app.settings import ROOT
from tests.mutation.equivalents import EQUIVALENT
from tests.mutation.modules import MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_mutated_module_and_its_tests_exist(module: str) -> None:
    files = [module, *MODULES[module]]

    assert [file for file in files if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("module", EQUIVALENT)
def test_an_equivalent_mutant_removes_lines_that_exist(module: str) -> None:
    lines = {line.strip() for line in (ROOT / module).read_text().splitlines()}

    removed = [
        line.removeprefix("- ")
        for each in EQUIVALENT[module]
        for line in each.change.strip().splitlines()
        if line.startswith("- ")
    ]

    assert module in MODULES
    assert [line for line in removed if line not in lines] == []
