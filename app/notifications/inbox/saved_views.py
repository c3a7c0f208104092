"""The views that a user saves: any filter of the list under a name, in the user's order, counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote_plus, urlencode
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ScalarSelect, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict, Invalid, NotFound
from app.language import _
from app.models import Notification, SavedView, User
from app.notifications.inbox.filters import FIELDS, UNREAD_ONLY, Filter, parse_filter
from app.notifications.inbox.searching import narrow
from app.notifications.inbox.totals import OwnView
from app.values.names import name_error, tidy

MOST_VIEWS = 50
LONGEST_NAME, LONGEST_QUERY = 60, 2000
# The parameters of the list besides the filter: a view keeps whether the list is grouped, but not
# which part of the list was shown. It keeps `unread_only` as the status that it means.
GROUPED, UNREAD_PARAMETER = "grouped", "unread_only"
PART_OF_LIST = {"page", "limit", "offset", "up_to_position"}


@dataclass(frozen=True)
class CountedView:
    """`unread_count`: how many of the notifications that it shows are unread; of those that a search
    finds, at most MOST_FOUND.
    """

    id: int
    name: str
    query: str
    unread_count: int


async def read_views(session: AsyncSession, user: User, zone: ZoneInfo) -> list[CountedView]:
    """The user's views in their order, counted."""
    return await count_saved_views(session, user, zone, await _views_of(session, user))


async def count_saved_views(
    session: AsyncSession, user: User, zone: ZoneInfo, views: Sequence[SavedView | OwnView]
) -> list[CountedView]:
    """These views of the user, counted: a search by itself, all others in one statement. Not for a short
    read: the user may have saved MOST_VIEWS, each of which looks at the whole inbox.
    """
    if not views:
        return []
    unread = [await _unread_in(session, view, user, zone) for view in views]
    counts = (await session.execute(select(*(_number_of(one, user) for one in unread)))).one()
    return [
        CountedView(view.id, view.name, view.query, count)
        for view, count in zip(views, counts, strict=True)
    ]


async def create_view(
    session: AsyncSession, user: User, zone: ZoneInfo, name: str, query: str
) -> SavedView:
    """Save a view as the last one. Raises Invalid for `name` and `query`, and Conflict if there are
    MOST_VIEWS.
    """
    columns = _checked(name, query, zone)
    views = await _views_of(session, user)
    if len(views) >= MOST_VIEWS:
        limit = _("You have {n} views already. Delete one first.").format(n=MOST_VIEWS)
        raise Conflict(limit)
    view = SavedView(user_id=user.id, rank=views[-1].rank + 1 if views else 1, **columns)
    session.add(view)
    await session.flush()
    return view


async def change_view(
    session: AsyncSession,
    user: User,
    zone: ZoneInfo,
    view_id: int,
    name: str | None = None,
    query: str | None = None,
) -> SavedView:
    """Changes what is given. Raises NotFound, and Invalid as `create_view` does."""
    view = await find_view(session, user, view_id)
    for column, value in _checked(name, query, zone).items():
        setattr(view, column, value)
    return view


async def delete_view(session: AsyncSession, user: User, view_id: int) -> None:
    """Raises NotFound."""
    await session.delete(await find_view(session, user, view_id))


async def order_views(session: AsyncSession, user: User, ids: Sequence[int]) -> None:
    """Bring the views into the order of these ids. Raises Invalid unless they are all of them."""
    views = {view.id: view for view in await _views_of(session, user)}
    if sorted(ids) != sorted(views):
        raise Invalid({"ids": _("Name each of your views once.")})
    for rank, view_id in enumerate(ids, 1):
        views[view_id].rank = rank


async def move_view(session: AsyncSession, user: User, view_id: int, steps: int) -> None:
    """Move a view so many places down, or up if `steps` is negative, at most to the end. Raises
    NotFound.
    """
    ids = [view.id for view in await _views_of(session, user)]
    if view_id not in ids:
        raise NotFound
    index = ids.index(view_id)
    ids.insert(min(max(0, index + steps), len(ids) - 1), ids.pop(index))
    await order_views(session, user, ids)


async def find_view(session: AsyncSession, user: User, view_id: int) -> SavedView:
    """One of the user's views. Raises NotFound."""
    own = select(SavedView).where(SavedView.id == view_id, SavedView.user_id == user.id)
    view = await session.scalar(own)
    if view is None:
        raise NotFound
    return view


async def _views_of(session: AsyncSession, user: User) -> Sequence[SavedView]:
    own = select(SavedView).where(SavedView.user_id == user.id)
    return (await session.scalars(own.order_by(SavedView.rank, SavedView.id))).all()


def _checked(name: str | None, query: str | None, zone: ZoneInfo) -> dict[str, str]:
    """The columns for what is given. Raises Invalid."""
    columns, errors = {}, {}
    if name is not None:
        columns["name"] = tidy(name)
        errors["name"] = name_error(name, most=LONGEST_NAME, if_empty=_("Name the view."))
    if query is not None:
        query = query.strip().removeprefix("?")
        columns["query"] = _kept(query)
        errors["query"] = _query_error(query, zone)
    if wrong := {field: error for field, error in errors.items() if error}:
        raise Invalid(wrong)
    return columns


def _kept(query: str) -> str:
    """The part of a query string that a view keeps."""
    given, dropped = parse_qs(query), {*PART_OF_LIST, UNREAD_PARAMETER}
    pairs = [one for one in query.split("&") if unquote_plus(one.partition("=")[0]) not in dropped]
    if "status" not in given and any(map(_as_bool, given.get(UNREAD_PARAMETER, ()))):
        pairs.append(urlencode(UNREAD_ONLY, doseq=True))
    return "&".join(pairs)


def _query_error(query: str, zone: ZoneInfo) -> str:
    """Why it is no query string of the list, or ""."""
    if len(query) > LONGEST_QUERY:
        return _("Use at most {limit} characters.").format(limit=LONGEST_QUERY)
    given = parse_qs(query, keep_blank_values=True)
    filters = {field.name for field in FIELDS}
    unknown = given.keys() - filters - {GROUPED, UNREAD_PARAMETER} - PART_OF_LIST
    if unknown or "\x00" in query:
        names = ", ".join(sorted(unknown))
        return _("The list cannot be filtered by this: {names}").format(names=names)
    try:
        filter_of(query, zone)
    except Invalid as invalid:
        return " ".join(invalid.fields.values())
    for name in (GROUPED, UNREAD_PARAMETER):
        if None in map(_as_bool, given.get(name, ())):
            return _("{name} must be true or false.").format(name=name)
    return ""


def _as_bool(given: str) -> bool | None:
    """As the list in JSON reads it; None for anything else."""
    try:
        return msgspec.convert(given, bool, strict=False)
    except msgspec.ValidationError:
        return None


def filter_of(query: str, zone: ZoneInfo, user_id: int = 0) -> Filter:
    """The filter that a query string of the list asks for. Raises Invalid."""
    return parse_filter(parse_qs(query), zone, user_id)


def is_query_of(query: str, wanted: Filter) -> bool:
    """Whether a query string of the list asks for this filter, in whatever order."""
    try:
        return filter_of(query, wanted.zone).chosen == wanted.chosen
    except Invalid:
        return False


async def _unread_in(
    session: AsyncSession, view: SavedView | OwnView, user: User, zone: ZoneInfo
) -> Filter | None:
    """The filter of the unread notifications in the view. None if there cannot be any: the view shows
    what was read, or another version of the application saved a filter that this one does not
    accept: a newer one with other values, or an earlier one with more than MOST_VALUES in a field.
    """
    try:
        wanted = filter_of(view.query, zone, user.id)
    except Invalid:
        return None
    if wanted.chosen.get("status") == ("read",):
        return None
    return await narrow(session, wanted.with_values("status", UNREAD_ONLY["status"]))


def _number_of(wanted: Filter | None, user: User) -> ScalarSelect[int]:
    if wanted is None:
        return select(literal(0)).scalar_subquery()
    if wanted.found is not None:
        return select(literal(len(wanted.found))).scalar_subquery()
    matching = select(func.count()).select_from(Notification)
    return matching.where(Notification.user_id == user.id, *wanted.clauses()).scalar_subquery()
