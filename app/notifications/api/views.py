"""Saved views in JSON: list, create, change, delete and order them."""

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from app.api.problems import problems
from app.api.shapes import Id, Message, RequestBody, ResponseBody, Text, like
from app.database import Database
from app.language import _
from app.models import SavedView, User
from app.notifications.inbox import saved_views
from app.rendering import zone_of

EXAMPLE = like(name="Failures", query="type=compilation_failed&status=unread")


class ViewObject(ResponseBody):
    """`query` is a query string of the list of notifications. With `q` in it, `unread_count` stops at
    1,000.
    """

    id: int
    name: str
    query: str
    unread_count: int

    example = like(id=7, unread_count=2, **EXAMPLE)


class Views(ResponseBody):
    """In your order."""

    views: list[ViewObject]

    example = like(views=[ViewObject.example])


class ViewBody(RequestBody):
    """`query` is a query string of the list of notifications. The view keeps everything but the part
    of the list that was shown: `page`, `limit`, `offset` and `up_to_position`.
    """

    name: Text
    query: Text

    example = EXAMPLE


class ViewChange(RequestBody):
    """What is left out stays as it is."""

    name: Text | UnsetType = UNSET
    query: Text | UnsetType = UNSET

    example = EXAMPLE


class Order(RequestBody):
    """The ids of all your views."""

    ids: list[Id]

    example = like(ids=[9, 7, 8])


@get()
async def index(db: NamedDependency[Database], user: NamedDependency[User]) -> Views:
    """List your saved views."""
    return Views(await _counted(db, user))


@post(responses=problems(409))
async def create(
    db: NamedDependency[Database], user: NamedDependency[User], data: JSONBody[ViewBody]
) -> ViewObject:
    """Save a view. It becomes the last one."""
    zone = zone_of(user)
    async with db.act() as session:
        view = await saved_views.create_view(session, user, zone, data.name, data.query)
    return await _found(db, user, view)


@put()
async def change(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    view_id: FromPath[int],
    data: JSONBody[ViewChange],
) -> ViewObject:
    """Change the name or the query of a view, or both."""
    changed = {name: value for name, value in asdict(data).items() if value is not UNSET}
    async with db.act() as session:
        view = await saved_views.change_view(session, user, zone_of(user), view_id, **changed)
    return await _found(db, user, view)


@delete(status_code=200)
async def destroy(
    db: NamedDependency[Database], user: NamedDependency[User], view_id: FromPath[int]
) -> Message:
    """Delete a view. Its notifications stay."""
    async with db.act() as session:
        await saved_views.delete_view(session, user, view_id)
    return Message(_("View deleted"))


@put()
async def order(
    db: NamedDependency[Database], user: NamedDependency[User], data: JSONBody[Order]
) -> Views:
    """Bring your views into another order."""
    async with db.act() as session:
        await saved_views.order_views(session, user, data.ids)
    return Views(await _counted(db, user))


async def _found(db: Database, user: User, view: SavedView) -> ViewObject:
    [one] = [one for one in await _counted(db, user) if one.id == view.id]
    return one


async def _counted(db: Database, user: User) -> list[ViewObject]:
    """Never in the transaction of an act: it may take a while, and all other acts would wait for it."""
    async with db.read() as session:
        found = await saved_views.read_views(session, user, zone_of(user))
    return [ViewObject(one.id, one.name, one.query, one.unread_count) for one in found]
