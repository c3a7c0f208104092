"""/notifications/views: the views that a user saved, named, ordered and deleted by plain forms."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid, NotFound
from app.http import AnyRequest, Form, redirect
from app.language import _
from app.layout import page
from app.models import User
from app.notifications.inbox import saved_views
from app.rendering import zone_of

HERE = "/notifications/views"
STEPS = {"up": -1, "down": 1}


@get()
async def views_page(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str]:
    """With `query`, the form to save the list with this query string comes first."""
    typed = {"name": "", "query": request.query_params.get("query", "")}
    return await _views(request, db, user, typed)


@post(status_code=200)
async def create(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[Any]:
    name, query = form["name"], form["query"]
    try:
        async with db.act() as session:
            view = await saved_views.create_view(session, user, zone_of(user), name, query)
    except Invalid as invalid:
        typed = {"name": name, "query": query}
        return await _views(request, db, user, typed, invalid.fields)
    return redirect(f"/notifications?{view.query}", _("View saved."))


@post(status_code=200)
async def rename(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    view_id: FromPath[int],
) -> Response[Any]:
    try:
        async with db.act() as session:
            await saved_views.change_view(session, user, zone_of(user), view_id, name=form["name"])
    except Invalid as invalid:
        errors = {f"name-{view_id}": " ".join(invalid.fields.values())}
        return await _views(request, db, user, {f"name-{view_id}": form["name"]}, errors)
    return redirect(HERE, _("Saved."))


@post()
async def move(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    view_id: FromPath[int],
    step: FromPath[str],
) -> Response[None]:
    """Up or down by one."""
    if step not in STEPS:
        raise NotFound
    async with db.act() as session:
        await saved_views.move_view(session, user, view_id, STEPS[step])
    return redirect(HERE)


@post()
async def destroy(
    db: NamedDependency[Database], user: NamedDependency[User], view_id: FromPath[int]
) -> Response[None]:
    async with db.act() as session:
        await saved_views.delete_view(session, user, view_id)
    return redirect(HERE, _("View deleted."))


async def _views(
    request: AnyRequest,
    db: Database,
    user: User,
    typed: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
) -> Response[str]:
    async with db.read() as session:
        views = await saved_views.read_views(session, user, zone_of(user))
    return await page(
        request,
        "notifications/views.html",
        status=422 if errors else 200,
        views=views,
        typed=typed,
        errors=errors or {},
    )
