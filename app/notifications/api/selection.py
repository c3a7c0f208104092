"""How a request body selects notifications: by ids, or by a filter up to the newest one seen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, UnsetType

from app.api.shapes import Id, RequestBody, like
from app.errors import Invalid
from app.language import _
from app.notifications.events.catalogue import MEMBER_ADDED, SYNONYMS, TYPES
from app.notifications.inbox.filters import Filters

MOST_IDS = 1000

if TYPE_CHECKING:
    TypeName = str
else:
    TypeName = Literal[(*TYPES, *SYNONYMS)]

Status = Literal["unread", "read", "all"]
DateRange = Literal["today", "week", "month", "3months", "all"]


def filters(types: Sequence[str], status: str, date_range: str, zone: ZoneInfo) -> Filters:
    return Filters(
        types=tuple(SYNONYMS.get(name, name) for name in types),
        status="" if status == "all" else status,
        date_range="" if date_range == "all" else date_range,
        zone=zone,
    )


class FilterObject(RequestBody):
    """A field that is left out matches everything; days begin in the user's time zone."""

    type: TypeName | list[TypeName] | UnsetType = UNSET
    status: Status = "all"
    date_range: DateRange = "all"

    example = like(type=MEMBER_ADDED.name, status="read", date_range="month")

    def filters(self, zone: ZoneInfo) -> Filters:
        types = [] if self.type is UNSET else self.type
        return filters(
            [types] if isinstance(types, str) else types, self.status, self.date_range, zone
        )


class Selection(RequestBody):
    """Either `notification_ids`, or `filter` with `up_to`, the highest id that the client has seen:
    notifications that arrived since then are not selected.
    """

    notification_ids: Annotated[list[Id], Meta(max_length=MOST_IDS)] | UnsetType = UNSET
    filter: FilterObject | UnsetType = UNSET
    up_to: Id | UnsetType = UNSET

    example = like(notification_ids=[123, 456, 789])
    constraints = like(
        one_of=[
            {"required": ["notification_ids"], "properties": {"filter": False, "up_to": False}},
            {"required": ["filter", "up_to"], "properties": {"notification_ids": False}},
        ]
    )

    def require_whole(self) -> None:
        """Raises Invalid unless the body has exactly one of the two, and all of it."""
        wrong = {}
        if self.notification_ids is UNSET and self.filter is UNSET:
            wrong["notification_ids"] = _("Send notification_ids, or filter with up_to.")
        if self.notification_ids is not UNSET and self.filter is not UNSET:
            wrong["filter"] = _("Send notification_ids or filter, not both.")
        if (self.filter is UNSET) is not (self.up_to is UNSET):
            wrong["up_to"] = _("Send filter and up_to, the highest id you have seen, together.")
        if wrong:
            raise Invalid(wrong)
