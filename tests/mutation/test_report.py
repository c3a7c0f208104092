"""What the mutation run counts as a survivor."""

import tomllib

import pytest

from tests.mutation.__main__ import Report, _config, _is_wording
from tests.mutation.modules import MODULES


@pytest.mark.parametrize(
    ("removed", "added", "is_wording"),
    [
        ('raise Forbidden(_("Not here."))', 'raise Forbidden(_("XXNot here.XX"))', True),
        ('raise Forbidden(_("Not here."))', "raise Forbidden(_(None))", True),
        (
            'raise Invalid({"name": _("Too long.")})',
            'raise Invalid({"NAME": _("Too long.")})',
            False,
        ),
        ("if count < limit:", "if count <= limit:", False),
        ("team = _find(team_id)", "team = None", False),
    ],
)
def test_a_changed_sentence_is_only_wording(removed: str, added: str, is_wording: bool) -> None:
    assert _is_wording(f"- {removed}\n+ {added}") is is_wording


def test_the_score_leaves_equivalent_mutants_out() -> None:
    report = Report("app/clock.py", mutants=12, equivalents=2, survivors=["- a\n+ b"], unused=[])

    assert str(report).splitlines() == [
        "app/clock.py: 90 % (9 of 10; 2 equivalent)",
        "  survived:",
        "    - a",
        "    + b",
    ]


@pytest.mark.parametrize("module", MODULES)
def test_each_module_is_mutated_alone_and_held_to_its_own_tests(module: str) -> None:
    config = tomllib.loads(_config(module))["tool"]["mutmut"]

    assert config["only_mutate"] == [module]
    assert config["pytest_add_cli_args_test_selection"] == MODULES[module]
