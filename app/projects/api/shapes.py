"""The JSON shapes of projects, clips and compilations."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from app.api.problems import FieldProblem
from app.api.shapes import (
    Id,
    NamedReference,
    RequestBody,
    ResponseBody,
    UserReference,
    like,
    whole_seconds,
)
from app.language import _
from app.models import Clip, Compilation
from app.projects.clips import note_of
from app.projects.project_views import WholeProject
from app.projects.projects import MAX_NAME_LENGTH
from app.values.names import NAME_PATTERN

Status = Literal["queued", "running", "completed", "failed"]


class NewProject(RequestBody):
    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH, pattern=NAME_PATTERN)]

    example = like(name="Highlight Reel")


class WithTeam(RequestBody):
    team_id: Id

    example = like(team_id=5)


class Step(RequestBody):
    """`by` is the number of places to move; -1 moves one up."""

    by: Annotated[int, Meta(ge=-10_000, le=10_000)]

    example = like(by=-1)


class ClipObject(ResponseBody):
    """`duration` is in seconds, `size` in bytes; `position` counts from 0. `note` says if the sound
    cannot be used as it is.
    """

    id: int
    filename: str
    size: int
    duration: float | None
    width: int | None
    height: int | None
    position: int
    note: str | None
    thumbnail_url: str
    created_at: datetime

    example = like(
        id=11,
        filename="goal.mp4",
        size=1_048_576,
        duration=12.5,
        width=1920,
        height=1080,
        position=0,
        note=None,
        thumbnail_url="/api/projects/7/clips/11/thumbnail",
        created_at="2025-11-19T22:30:00Z",
    )


class ClipsAdded(ResponseBody):
    """The clips that were added, and an error for each other file."""

    clips: list[ClipObject]
    errors: list[FieldProblem]

    example = like(clips=[ClipObject.example], errors=[])


class CompilationObject(ResponseBody):
    """`progress` is from 0 to 1, `duration` in seconds, `size` in bytes. A cancelled compilation has
    the status `failed` and says so in `error`. `video_url` is null until there is a video, and again
    once newer ones have replaced it.
    """

    id: int
    status: Status
    progress: float
    error: str | None
    duration: float | None
    size: int | None
    video_url: str | None
    thumbnail_url: str | None

    example = like(
        id=3,
        status="completed",
        progress=1.0,
        error=None,
        duration=25.0,
        size=4_194_304,
        video_url="/api/projects/7/compilations/3/video",
        thumbnail_url="/api/projects/7/compilations/3/thumbnail",
    )


class ProjectObject(ResponseBody):
    """`teams` are those that the project is shared with and you may know of. `compilations` are the
    newest twenty, newest first.
    """

    id: int
    name: str
    owner: UserReference
    teams: list[NamedReference]
    clips: list[ClipObject]
    clip_count: int
    compilations: list[CompilationObject]
    muted: bool

    example = like(
        id=7,
        name="Highlight Reel",
        owner=UserReference.example,
        teams=[NamedReference.example],
        clips=[ClipObject.example],
        clip_count=1,
        compilations=[CompilationObject.example],
        muted=False,
    )


class ProjectList(ResponseBody):
    projects: list[ProjectObject]

    example = like(projects=[ProjectObject.example])


def clip_object(clip: Clip) -> ClipObject:
    return ClipObject(
        id=clip.id,
        filename=clip.filename,
        size=clip.size,
        duration=clip.duration,
        width=clip.width,
        height=clip.height,
        position=clip.position,
        note=note_of(clip) or None,
        thumbnail_url=f"/api/projects/{clip.project_id}/clips/{clip.id}/thumbnail",
        created_at=whole_seconds(clip.created_at),
    )


def compilation_object(compilation: Compilation) -> CompilationObject:
    url = f"/api/projects/{compilation.project_id}/compilations/{compilation.id}"
    is_complete = compilation.status == "completed"
    return CompilationObject(
        id=compilation.id,
        status=_status(compilation),
        progress=compilation.progress,
        error=_("It was cancelled.") if compilation.status == "cancelled" else compilation.error,
        duration=compilation.duration,
        size=compilation.size,
        video_url=f"{url}/video" if compilation.has_video else None,
        thumbnail_url=f"{url}/thumbnail" if is_complete else None,
    )


def _status(compilation: Compilation) -> Status:
    known: dict[str, Status] = {"queued": "queued", "running": "running", "completed": "completed"}
    return known.get(compilation.status, "failed")


def project_object(whole: WholeProject) -> ProjectObject:
    project = whole.project
    return ProjectObject(
        id=project.id,
        name=project.name,
        owner=UserReference(project.owner_id, whole.owner),
        teams=[NamedReference(team.id, team.name) for team in whole.teams],
        clips=[clip_object(clip) for clip in whole.clips],
        clip_count=len(whole.clips),
        compilations=[compilation_object(one) for one in whole.compilations],
        muted=whole.is_muted,
    )
