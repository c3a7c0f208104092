"""The filter and the selection in JSON requests; their fields come from the entries of FIELDS."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.shapes import NO_NUL, Id, RequestBody, like
from app.errors import Invalid
from app.language import _
from app.models import User
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.inbox import feed
from app.notifications.inbox.filters import (
    FIELDS,
    GROUP_KEY,
    MOST_KEY,
    UNREAD_ONLY,
    Filter,
    FilterField,
    parse_filter,
)
from app.notifications.inbox.selection import MOST_IDS, Selection
from app.notifications.inbox.views import INBOX_VIEW
from app.rendering import zone_of
from app.values.numbers import GREATEST_ID

MOST_PER_PAGE = 100
# 0 for a user without notifications.
Position = Annotated[int, Meta(ge=0, le=GREATEST_ID)]


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
    return field.name, type_, UNSET


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
    """Every parameter of the list of notifications. A field that is left out is open. Days begin at
    midnight in your time zone. `unread_only` is `status` "unread" where no `status` is given.
    `up_to_position` counts only if the selection has neither `up_to_position` nor `up_to` of its
    own. How the list is shown, `grouped` and in pages, makes no difference. A field that may have
    several values takes at most 50 different ones.
    """

    unread_only: bool | UnsetType = UNSET
    up_to_position: Position | UnsetType = UNSET
    grouped: bool | UnsetType = UNSET
    page: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=MOST_PER_PAGE)] | UnsetType = UNSET
    offset: Annotated[int, Meta(ge=0)] | UnsetType = UNSET

    example = like(type=MEMBER_ADDED.name, status="read", date_range="month")


class UpTo(RequestBody):
    """What the client has seen: `up_to_position`, or else `up_to`, the id of a notification. What
    arrived, came back or changed later stays as it is; with `up_to` alone, later than that
    notification was made.
    """

    up_to: Id | UnsetType = UNSET
    up_to_position: Position | UnsetType = UNSET

    example = like(up_to_position=4711)

    async def position(self, session: AsyncSession, user_id: int) -> int | None:
        """None if neither is given."""
        if self.up_to_position is not UNSET:
            return self.up_to_position or 0
        if self.up_to is not UNSET:
            return await feed.made_at(session, user_id, self.up_to or 0)
        return None


WATERMARKS = ("up_to", "up_to_position")
_NO_WATERMARK = dict.fromkeys(WATERMARKS, False)
_HAS_WATERMARK = [
    *({"required": [one]} for one in WATERMARKS),
    {"required": ["filter"], "properties": {"filter": {"required": ["up_to_position"]}}},
]


class SelectionObject(UpTo):
    """Either `notification_ids`, or `filter`, or the group `group_key`; the last two with
    `up_to_position` or `up_to`: what the client has seen. With both, `up_to_position` counts.

    Notifications that arrived, came back or changed later are not selected, even if they match.
    """

    notification_ids: Annotated[list[Id], Meta(max_length=MOST_IDS)] | UnsetType = UNSET
    filter: FilterObject | UnsetType = UNSET
    group_key: Annotated[str, Meta(max_length=MOST_KEY, pattern=NO_NUL)] | UnsetType = UNSET

    example = like(notification_ids=[123, 456, 789])
    constraints = like(
        one_of=[
            {
                "required": ["notification_ids"],
                "properties": {"filter": False, "group_key": False, **_NO_WATERMARK},
            },
            {
                "allOf": [
                    {"anyOf": [{"required": ["filter"]}, {"required": ["group_key"]}]},
                    {"anyOf": _HAS_WATERMARK},
                ],
                "properties": {"notification_ids": False},
            },
        ]
    )

    @property
    def default_view(self) -> str:
        """Where to look if the filter does not say it."""
        return INBOX_VIEW

    async def selection(self, session: AsyncSession, user: User) -> Selection:
        """Raises Invalid unless there are either ids, or a filter or a group with its watermark."""
        self._require_one_way()
        if self.notification_ids is not UNSET:
            return Selection(self.notification_ids or [])
        wanted = self._filter(user)
        if self.group_key is not UNSET:
            wanted = replace(wanted, chosen={**wanted.chosen, GROUP_KEY: (self.group_key,)})
        end = await self.position(session, user.id)
        return Selection(filter=replace(wanted, up_to_position=end))

    def _filter(self, user: User) -> Filter:
        given = FilterObject() if self.filter is UNSET else self.filter
        wanted = filter_in(given, user)
        is_said = given.view is not UNSET or wanted.search.view or self.default_view == INBOX_VIEW
        return wanted if is_said else wanted.with_values("view", (self.default_view,))

    async def position(self, session: AsyncSession, user_id: int) -> int | None:
        """Beside the filter, or else inside it."""
        beside = await super().position(session, user_id)
        return self._filter_position if beside is None else beside

    @property
    def _filter_position(self) -> int | None:
        if self.filter is UNSET or self.filter.up_to_position is UNSET:
            return None
        return self.filter.up_to_position

    def _require_one_way(self) -> None:
        wrong = {}
        by_ids = self.notification_ids is not UNSET
        others = [name for name in ("filter", GROUP_KEY) if getattr(self, name) is not UNSET]
        is_bounded = any(getattr(self, name) is not UNSET for name in WATERMARKS)
        if not by_ids and not others:
            wrong["notification_ids"] = _("Send notification_ids, or filter with up_to.")
        if by_ids:
            wrong |= dict.fromkeys(others, _("Send either notification_ids or filter, not both."))
        if bool(others) is not (is_bounded or self._filter_position is not None):
            wrong["up_to"] = _("A filter needs up_to, the highest id that the client has seen.")
        if wrong:
            raise Invalid(wrong)


def filter_in(fields: Any, user: User) -> Filter:
    """The user's filter in a query or an object that has the fields of FIELDS and `unread_only`,
    the specification's way to say `status=unread`.
    """
    given: dict[str, Iterable[Any]] = {
        field.name: _as_list(getattr(fields, field.name)) for field in FIELDS
    }
    if fields.unread_only is True and not given["status"]:
        given |= UNREAD_ONLY
    return parse_filter(given, zone_of(user), user.id)


def _as_list(value: Any) -> list[Any]:
    if value is UNSET or value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
