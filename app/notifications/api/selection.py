"""The filter and the selection as JSON sends them; their fields come from the entries of FIELDS."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from msgspec import UNSET, Meta, UnsetType

from app.api.shapes import Id, RequestBody, like
from app.errors import Invalid
from app.language import _
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.inbox.filters import FIELDS, Filter, FilterField, parse_filter
from app.notifications.inbox.selection import MOST_IDS, Selection


def parameter(description: str, **options: Any) -> QueryParameter:
    return QueryParameter(description=description, **options)


def _in_query(field: FilterField) -> tuple[str, Any, Any]:
    if field.may_repeat:
        about = parameter(f"{field.description} May be repeated.", examples=_examples(field))
        return field.name, Annotated[_tuple_of(field), about], ()
    about = parameter(field.description)
    return field.name, Annotated[field.value_type | None, about], _default(field) or None


def _in_object(field: FilterField) -> tuple[str, Any, Any]:
    kind = field.value_type | UnsetType
    return field.name, kind | _list_of(field) if field.may_repeat else kind, _default(field)


def _examples(field: FilterField) -> list[Example]:
    return [Example(value=[next(iter(field.options), None)])]


def _tuple_of(field: FilterField) -> Any:
    return tuple[field.value_type, ...]  # type: ignore[name-defined]


def _list_of(field: FilterField) -> Any:
    return list[field.value_type]  # type: ignore[name-defined]


def _default(field: FilterField) -> Any:
    """The value that leaves the field open, as in `status=all`, if it has one."""
    return next((one for one, meant in field.synonyms.items() if not meant), UNSET)


FilterQuery = msgspec.defstruct(
    "FilterQuery", [_in_query(field) for field in FIELDS], module=__name__, kw_only=True
)
FilterFields = msgspec.defstruct(
    "FilterFields", [_in_object(field) for field in FIELDS], bases=(RequestBody,), module=__name__
)


class FilterObject(FilterFields):  # type: ignore[misc, valid-type]
    """A field that is left out is open. Days begin at midnight in your time zone."""

    example = like(type=MEMBER_ADDED.name, status="read", date_range="month")


class SelectionObject(RequestBody):
    """Either `notification_ids`, or `filter` with `up_to`: the highest id that the client has seen.

    Notifications that arrived later are not selected, even if they match the filter.
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

    def selection(self, zone: ZoneInfo) -> Selection:
        """Raises Invalid unless there are either ids, or a filter with its watermark."""
        self._require_one_way()
        if self.filter is UNSET:
            return Selection(self.notification_ids or [])
        return Selection(filter=filter_in(self.filter, zone), up_to=self.up_to or 0)

    def _require_one_way(self) -> None:
        wrong = {}
        if self.notification_ids is UNSET and self.filter is UNSET:
            wrong["notification_ids"] = _("Send notification_ids, or filter with up_to.")
        if self.notification_ids is not UNSET and self.filter is not UNSET:
            wrong["filter"] = _("Send either notification_ids or filter, not both.")
        if (self.filter is UNSET) is not (self.up_to is UNSET):
            wrong["up_to"] = _("A filter needs up_to, the highest id that the client has seen.")
        if wrong:
            raise Invalid(wrong)


def filter_in(sent: Any, zone: ZoneInfo) -> Filter:
    """The filter in a query or an object that has the fields of FIELDS."""
    given = {field.name: _as_list(getattr(sent, field.name)) for field in FIELDS}
    return parse_filter(given, zone)


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value in (UNSET, None) else [value]
