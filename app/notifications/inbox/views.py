"""The views of the inbox, and which notifications each of them shows."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from app.language import N_
from app.models.notification import DONE, INBOX, SAVED, SHOWN, SNOOZED
from app.notifications.events.notices import Notice


@dataclass(frozen=True)
class View:
    """`clause` is written as in the partial indexes: SQLite uses an index only if the terms are the
    same. `holds` is the same condition on a notice.
    """

    name: str
    label: str
    icon: str
    clause: TextClause
    holds: Callable[[Notice], bool]


def _is_in_inbox(notice: Notice) -> bool:
    return not notice.is_done and notice.snoozed_until is None


def _is_snoozed(notice: Notice) -> bool:
    return notice.snoozed_until is not None


_DONE = text(f"place = '{DONE}' AND {SHOWN}")
_SNOOZED = text(f"place = '{SNOOZED}' AND {SHOWN}")
VIEWS = {
    view.name: view
    for view in (
        View("inbox", N_("Inbox"), "bi-inbox", text(INBOX), _is_in_inbox),
        View("saved", N_("Saved"), "bi-bookmark", text(SAVED), lambda notice: notice.is_saved),
        View("done", N_("Done"), "bi-check2-all", _DONE, lambda notice: notice.is_done),
        View("snoozed", N_("Snoozed"), "bi-clock", _SNOOZED, _is_snoozed),
        View("all", N_("Everything"), "bi-bell", text(SHOWN), lambda _notice: True),
    )
}
INBOX_VIEW = "inbox"
# The views that pages show as tabs and `summary` counts.
TABS = ("inbox", "saved", "done", "snoozed")
