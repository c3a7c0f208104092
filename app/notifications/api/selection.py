"""The filter and the selection in JSON requests; their fields come from the entries of FIELDS."""

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
    """A field of the query string, which Litestar reads and documents."""
    value, example = field.value_type, next(iter(field.options), None)
    default = _open_value(field)
    if field.may_repeat:
        about = parameter(f"{field.description} May be repeated.", examples=_examples([example]))
        return field.name, Annotated[tuple[value, ...], about], ()  # type: ignore[valid-type]
    about = parameter(field.description, examples=_examples(example))
    return field.name, Annotated[value if default else value | None, about], default


def _in_object(field: FilterField) -> tuple[str, Any, Any]:
    type_ = field.value_type | UnsetType
    if field.may_repeat:
        type_ |= list[field.value_type]  # type: ignore[name-defined]
    return field.name, type_, _open_value(field) or UNSET


def _examples(value: Any) -> list[Example]:
    return [] if value in (None, [None]) else [Example(value=value)]


def _open_value(field: FilterField) -> str | None:
    """The value that leaves the field open, as in `status=all`, if it has one."""
    return next((one for one, meant in field.synonyms.items() if not meant), None)


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


def filter_in(fields: Any, zone: ZoneInfo) -> Filter:
    """The filter in a query or an object that has the fields of FIELDS."""
    given = {field.name: _as_list(getattr(fields, field.name)) for field in FIELDS}
    return parse_filter(given, zone)


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value in (UNSET, None) else [value]
