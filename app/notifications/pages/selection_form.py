"""A selection as form fields: `selection_of` reads them, `fields_of` writes them.

    ids            the checked rows: each a notification, or the newest one of a group
    parts          the checked parts of open groups
    grouped        "1" if a row stands for its group
    all_matching   "1" for everything that matches the filter instead of the checked rows
    seen           the position up to which the page shows the list

Nothing that arrived after `seen` is selected.
"""

from dataclasses import replace

from app.http import Form
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import MOST_IDS, Selection
from app.values.numbers import whole_number


def selection_of(form: Form, wanted: Filter) -> Selection:
    """What is selected in a list filtered by `wanted`."""
    if form["all_matching"] == "1":
        return Selection(filter=_seen(form, wanted))
    within = groups_within(form, wanted)
    return Selection(_ids(form, "ids"), groups_within=within, alone=_ids(form, "parts"))


def groups_within(form: Form, wanted: Filter) -> Filter | None:
    """The notifications whose groups the page shows as rows; None if it shows no groups."""
    return _seen(form, wanted) if form["grouped"] == "1" else None


def fields_of(selection: Selection) -> list[tuple[str, str]]:
    """The (name, value) pairs from which `selection_of` reads this selection, without its filter."""
    if selection.filter is not None:
        return [("all_matching", "1"), ("seen", str(selection.filter.up_to_position))]
    ids = [("ids", str(one)) for one in selection.ids]
    ids += [("parts", str(one)) for one in selection.alone]
    if selection.groups_within is None:
        return ids
    return [*ids, ("grouped", "1"), ("seen", str(selection.groups_within.up_to_position))]


def _seen(form: Form, wanted: Filter) -> Filter:
    return replace(wanted, up_to_position=whole_number(form["seen"]) or 0)


def _ids(form: Form, name: str) -> list[int]:
    ids = [whole_number(one) for one in form.all(name)[:MOST_IDS]]
    return [one for one in ids if one]
