"""Pages: list, create, show, rename, mute and delete projects."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _
from app.layout import ask, live_page
from app.models import User
from app.notifications.throttles import throttle_notifying
from app.projects.access import count_others, find_own_project
from app.projects.media_storage import remove
from app.projects.project_views import list_projects, view_project
from app.projects.projects import create_project, delete_project, rename_project, set_muted
from app.projects.storage import storage_of
from app.settings import Settings
from app.teams.notified import notified_sentence
from app.teams.queries import teams_of
from app.topics import PROJECT, TEAM, topics
from app.values.names import isolate


@get()
async def index(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[Any]:
    return await _index(request, db, user)


@post()
async def create(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[Any]:
    try:
        async with db.act() as session:
            project = await create_project(session, user, form["name"])
    except Invalid as invalid:
        return await _index(request, db, user, name=form["name"], errors=invalid.fields, status=422)
    return redirect(f"/projects/{project.id}", _("Project created. Now upload clips."))


@get()
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    return await project_page(request, db, settings, user, project_id)


@post()
async def rename(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
) -> Response[Any]:
    try:
        async with db.act() as session:
            await rename_project(session, user, project_id, form["name"])
    except Invalid as invalid:
        return await project_page(
            request, db, settings, user, project_id, typed=form, errors=invalid.fields, status=422
        )
    return redirect(f"/projects/{project_id}", _("Project renamed."))


@post()
async def mute(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
) -> Response[Any]:
    muted = form["muted"] == "1"
    async with db.exclusive() as session:
        await set_muted(session, user, project_id, muted=muted)
    muted_sentence = _("Muted. You will still get urgent notifications and those about yourself.")
    return redirect(f"/projects/{project_id}", muted_sentence if muted else _("Unmuted."))


@get()
async def ask_to_delete(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    async with db.read() as session:
        project = await find_own_project(session, user, project_id)
        notified = await count_others(session, user, project.id)
    lost = _("Its clips and videos will be deleted too. This cannot be undone.")
    return await ask(
        request,
        question=_("Delete '{name}'?").format(name=isolate(project.name)),
        explanation=f"{lost} {notified_sentence(notified)}",
        action=f"/projects/{project.id}/delete",
        button_label=_("Delete project"),
        cancel_url=f"/projects/{project.id}",
    )


@post()
async def delete(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        files = await delete_project(session, settings, user, project_id)
    await remove(files)
    return redirect("/projects", _("Project deleted."))


async def project_page(
    request: AnyRequest,
    db: Database,
    settings: Settings,
    user: User,
    project_id: int,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response[Any]:
    """The page of a project, live. Raises NotFound if the user may not see it."""
    async with db.read() as session:
        view = await view_project(session, user, project_id)
        storage = await storage_of(session, settings, user.id) if view.is_owner else None
    return await live_page(
        request,
        "projects/project.html",
        "projects/_project.html",
        view.topics,
        address=f"/projects/{project_id}",
        status=status,
        title=isolate(view.project.name),
        view=view,
        project=view.project,
        compiling=view.compiling,
        max_upload_mb=settings.max_upload_mb,
        storage=storage,
        typed=typed,
        errors=errors or {},
    )


async def _index(
    request: AnyRequest,
    db: Database,
    user: User,
    *,
    name: str = "",
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response[Any]:
    async with db.read() as session:
        projects = await list_projects(session, user)
        teams = await teams_of(session, user)
    shown = topics(PROJECT, [project.id for project in projects])
    return await live_page(
        request,
        "layouts/live.html",
        "projects/_projects.html",
        [*shown, *topics(TEAM, [team.id for team in teams])],
        address="/projects",
        status=status,
        title=_("Projects"),
        projects=projects,
        name=name,
        errors=errors or {},
    )
