"""The clips on a project's page: upload, move, delete."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Failure, Invalid, TooLarge
from app.http import AnyRequest, Form, is_partial, redirect, same_origin, signed_in
from app.language import _, ngettext
from app.models import User
from app.projects.clip_upload import arriving, said_of_clips
from app.projects.clips import add_clips, delete_clip, move_clip
from app.projects.media_storage import remove
from app.projects.pages.projects import project_page
from app.projects.upload_stream import FIELD
from app.settings import Settings

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
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    """Several files at once; those that are videos stay. The size is held to while it arrives."""
    try:
        async with arriving(request, db, settings, user, project_id) as uploads:
            _clips, problems = await add_clips(db, settings, user, project_id, uploads)
    except (Invalid, TooLarge) as problem:
        problems = [problem]
    if problems and is_partial(request):
        raise problems[0]
    if problems:
        return await _again(request, db, settings, user, project_id, problems)
    if is_partial(request):
        return Response(None, status_code=204)
    words = ngettext("{n} clip added.", "{n} clips added.", len(uploads))
    return redirect(f"/projects/{project_id}#clips-of-project", words.format(n=len(uploads)))


@post("/projects/{project_id:int}/clips/{clip_id:int}/move")
async def move(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    by = STEPS.get(form["to"])
    if by is None:
        raise Invalid({"to": _("A clip moves up or down.")})
    async with db.act() as session:
        await move_clip(session, user, project_id, clip_id, by=by)
    return redirect(f"/projects/{project_id}#clip-{clip_id}")


@post("/projects/{project_id:int}/clips/{clip_id:int}/delete")
async def delete(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    async with db.act() as session:
        file = await delete_clip(session, settings, user, project_id, clip_id)
    await remove([file])
    return redirect(f"/projects/{project_id}#clips-of-project", _("Clip deleted."))


async def _again(
    request: AnyRequest,
    db: Database,
    settings: Settings,
    user: User,
    project_id: int,
    problems: list[Failure],
) -> Response[Any]:
    """The page once more, with what was wrong at the field."""
    is_too_large = any(isinstance(problem, TooLarge) for problem in problems)
    return await project_page(
        request,
        db,
        settings,
        user,
        project_id,
        errors={FIELD: " ".join(said_of_clips(problems))},
        status=413 if is_too_large else 422,
    )


routes = [upload, move, delete]
