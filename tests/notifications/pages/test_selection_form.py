"""A selection stays the same on its way through a confirmation page."""

import pytest
from litestar.datastructures import FormMultiDict

from app.http import Form
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.notifications.pages.selection_form import fields_of, selection_of

SEEN = Filter(up_to_position=7)


@pytest.mark.parametrize(
    "selection",
    [
        Selection([3, 1], alone=[]),
        Selection([3, 1], alone=[2]),
        Selection([3], groups_within=SEEN, alone=[2]),
        Selection(filter=SEEN),
    ],
)
def test_the_fields_of_a_selection_select_the_same(selection: Selection) -> None:
    assert selection_of(Form(FormMultiDict(fields_of(selection))), Filter()) == selection


def test_values_that_are_no_ids_select_nothing() -> None:
    form = Form(FormMultiDict([("ids", "one"), ("ids", "-1"), ("parts", "")]))

    assert selection_of(form, Filter()).is_empty
