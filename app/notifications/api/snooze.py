"""How long to snooze, as JSON requests say it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.api.shapes import RequestBody, like
from app.errors import Invalid
from app.language import _
from app.notifications.inbox.snoozing import PERIODS, check_until, period_ends

Period: Any = Literal[tuple(PERIODS)]
Until = Annotated[datetime, Meta(tz=True)]


class Snooze(RequestBody):
    """Either `for` a period or `until` a time. In your time zone, `evening` is 18:00, `tomorrow` is
    08:00, and `week` is Monday 08:00; the next one where it is past.
    """

    period: Period | UnsetType = msgspec.field(name="for", default=UNSET)
    until: Until | UnsetType = UNSET

    example = like(**{"for": "evening"})
    constraints = like(one_of=[{"required": ["for"]}, {"required": ["until"]}])


def end_of(snooze: Any, zone: ZoneInfo) -> datetime:
    """When a body with the fields of `Snooze` says it ends. Raises Invalid unless it gives one of
    both, and that is not past.
    """
    if (snooze.period is UNSET) is (snooze.until is UNSET):
        raise Invalid({"until": _("Send either for or until.")})
    if isinstance(snooze.until, datetime):
        return check_until(snooze.until)
    return period_ends(str(snooze.period), zone)
