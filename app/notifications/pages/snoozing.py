"""Asks until when to snooze: in a dialog or, without scripts, on a page of its own."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response

from app import clock
from app.errors import Invalid
from app.http import AnyRequest, Form, is_partial
from app.layout import fragment, page
from app.models import User
from app.notifications.inbox.snoozing import PERIODS, label_of, period_ends, read_end
from app.notifications.pages.listing import Listing
from app.rendering import zone_of


def must_ask_until(request: AnyRequest, user: User, form: Form) -> bool:
    """Whether the request chooses no time. Without scripts, also if the time is invalid, so that
    the page shows the form again with the error; an open dialog shows it itself.
    """
    if not (form["for"] or form["until"]):
        return True
    return not is_partial(request) and bool(_wrong_end(user, form))


def _wrong_end(user: User, form: Form) -> dict[str, str]:
    try:
        read_end(form, zone_of(user))
    except Invalid as invalid:
        return dict(invalid.fields)
    return {}


async def ask_until(
    request: AnyRequest,
    user: User,
    form: Form,
    listing: Listing,
    action: str,
    target: str,
    pairs: list[tuple[str, str]],
    cancel_url: str,
) -> Response[str]:
    """Asks until when to snooze: in a dialog, or on a page. The answer is sent to `action` and swapped
    into `target`, if the page has it.
    """
    zone = zone_of(user)
    wrong = _wrong_end(user, form) if form["for"] or form["until"] else {}
    context: dict[str, Any] = {
        "action": action,
        "pairs": [*pairs, *listing.pairs],
        "periods": _periods(zone),
        "earliest": f"{clock.now().astimezone(zone):%Y-%m-%dT%H:%M}",
        "target": target,
        "cancel_url": cancel_url,
        "typed": {"until": form["until"]},
        "errors": {"until": wrong.get("until", "")},
    }
    if is_partial(request):
        return fragment(request, "notifications/_snooze.html", **context)
    status = 422 if wrong else 200
    return await page(request, "notifications/snooze.html", status=status, **context)


def _periods(zone: ZoneInfo) -> list[tuple[str, str, datetime]]:
    """The value, the label and the end of each."""
    ends = {name: period_ends(name, zone) for name in PERIODS}
    return [(name, label_of(name, end, zone), end) for name, end in ends.items()]
