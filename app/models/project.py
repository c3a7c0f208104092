"""Projects, their clips, with which teams they are shared, and what was compiled from them."""

from datetime import datetime

from advanced_alchemy.base import DefaultBase, IdentityBase
from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app import clock


class Project(IdentityBase):
    name: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Clip(IdentityBase):
    """An uploaded video: `filename` as its owner knows it, `stored_as` as it lies in `clips_dir`."""

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    uploader_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    position: Mapped[int]
    filename: Mapped[str] = mapped_column(String(255))
    stored_as: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    duration: Mapped[float | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Share(DefaultBase):
    """A project that the members of a team may see."""

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    team_id: Mapped[int] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Compilation(IdentityBase):
    """One run of ffmpeg over a project's clips: `queued`, `running`, then `completed`, `failed`
    or `cancelled`. At most one per project is unfinished.

    `progress` is 0..1, `duration` seconds, `size` bytes; `error` is a sentence for people.
    `attempts` counts the workers that began it: a worker that dies leaves it to the next.
    """

    __table_args__ = (
        Index(
            "uq_compilation_unfinished",
            "project_id",
            unique=True,
            sqlite_where=text("status IN ('queued', 'running')"),
            postgresql_where=text("status IN ('queued', 'running')"),
        ),
    )

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    requested_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    status: Mapped[str] = mapped_column(String(9), default="queued")
    progress: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str | None]
    duration: Mapped[float | None]
    size: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    started_at: Mapped[datetime | None]
    touched_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
