"""The clips on a project's page: upload, move, delete."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Failure, Invalid, TooLarge
from app.language import _, ngettext
from app.models import Account
from app.projects.access import find_own_project
from app.projects.clips import add_clip, delete_clip, move_clip, no_room, room_left
from app.projects.doors import same_origin, signed_in
from app.projects.pages.projects import project_page
from app.projects.storage import remove
from app.projects.upload import FIELD, MB, Upload, receive
from app.settings import Settings
from app.web import AnyRequest, Form, is_partial, see

STEPS = {"up": -1, "down": 1}


@post(
    "/projects/{project_id:int}/clips",
    guards=[signed_in, same_origin],
    exclude_from_csrf=True,
    request_max_body_size=None,
)
async def upload(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    person: NamedDependency[Account],
    project_id: FromPath[int],
) -> Response[Any]:
    """Several files at once; those that are videos stay. The size is held to while it arrives."""
    async with db.read() as session:
        await find_own_project(session, person, project_id)
        left = await room_left(session, settings, person)
    if (request.content_length or 0) > left + MB:
        raise no_room(settings)
    boundary = str(request.content_type[1].get("boundary", ""))
    most = min(settings.max_upload_mb * MB, left)
    try:
        async with receive(request.stream(), boundary, settings.clips_dir, most=most) as uploads:
            problems = await _add(db, settings, person, project_id, uploads)
    except (Invalid, TooLarge) as problem:
        problems = [problem]
    if problems and is_partial(request):
        raise problems[0]
    if problems:
        return await _again(request, db, settings, person, project_id, problems)
    if is_partial(request):
        return Response(None, status_code=204)
    words = ngettext("{n} clip added.", "{n} clips added.", len(uploads))
    return see(f"/projects/{project_id}#clips-of-project", words.format(n=len(uploads)))


@post("/projects/{project_id:int}/clips/{clip_id:int}/move")
async def move(
    db: NamedDependency[Database],
    person: NamedDependency[Account],
    form: NamedDependency[Form],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    by = STEPS.get(form["to"])
    if by is None:
        raise Invalid({"to": _("A clip moves up or down.")})
    async with db.act() as session:
        await move_clip(session, person, project_id, clip_id, by=by)
    return see(f"/projects/{project_id}#clip-{clip_id}")


@post("/projects/{project_id:int}/clips/{clip_id:int}/delete")
async def delete(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    person: NamedDependency[Account],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    async with db.act() as session:
        file = await delete_clip(session, settings, person, project_id, clip_id)
    await remove([file])
    return see(f"/projects/{project_id}#clips-of-project", _("Clip deleted."))


async def _add(
    db: Database, settings: Settings, person: Account, project_id: int, uploads: list[Upload]
) -> list[Failure]:
    """Take in what can be taken in; what was wrong with the rest."""
    problems: list[Failure] = []
    for each in uploads:
        try:
            await add_clip(db, settings, person, project_id, each)
        except Failure as problem:
            problems.append(problem)
    return problems


async def _again(
    request: AnyRequest,
    db: Database,
    settings: Settings,
    person: Account,
    project_id: int,
    problems: list[Failure],
) -> Response[Any]:
    """The page once more, with what was wrong at the field."""
    is_too_large = any(isinstance(problem, TooLarge) for problem in problems)
    sentences = [
        problem.fields[FIELD] if isinstance(problem, Invalid) else problem.sentence
        for problem in problems
    ]
    return await project_page(
        request,
        db,
        settings,
        person,
        project_id,
        errors={FIELD: " ".join(sentences)},
        status=413 if is_too_large else 422,
    )


routes = [upload, move, delete]
