"""Projects, their clips, shares and compilations."""

from datetime import datetime

from advanced_alchemy.base import DefaultBase
from advanced_alchemy.types import BigIntIdentity
from sqlalchemy import ForeignKey, Index, String, and_, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.models.base import IdentityBase


class Project(IdentityBase):
    name: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Clip(IdentityBase):
    """An uploaded video. `filename` is the name the owner sees, `stored_as` the one in `clips_dir`.

    `sound_note` is `other` if not its first sound track but a later one is used, `silent` if none of
    them can be decoded.
    """

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    uploader_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    position: Mapped[int]
    filename: Mapped[str] = mapped_column(String(255))
    stored_as: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigIntIdentity)
    duration: Mapped[float | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    sound_note: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class UploadReservation(DefaultBase):
    """`size` bytes of a user's quota that an upload takes up while it arrives. It counts until
    `expires_at`, which is extended while the upload continues.
    """

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    size: Mapped[int] = mapped_column(BigIntIdentity)
    expires_at: Mapped[datetime]


class Share(DefaultBase):
    """Shares a project with a team, whose members may then see it."""

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    team_id: Mapped[int] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


# The states of a compilation that has not ended.
UNFINISHED = ("queued", "running")


class Compilation(IdentityBase):
    """A video made from a project's clips. `status` is `queued` or `running`, then
    `completed`, `failed` or `cancelled`. A project has at most one unfinished compilation.

    `progress` is from 0 to 1, `duration` in seconds, `size` in bytes; `error` is a sentence for the
    user. `attempts` counts the workers that started it: if one crashes, another takes over.

    `is_rotated`: its video is kept while it is one of the project's newest, then removed, at
    `video_removed_at`. Videos made before this rule existed are kept.
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
    size: Mapped[int | None] = mapped_column(BigIntIdentity)
    attempts: Mapped[int] = mapped_column(default=0)
    is_rotated: Mapped[bool] = mapped_column(default=True, server_default=false())
    video_removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    started_at: Mapped[datetime | None]
    touched_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def has_video(self) -> bool:
        """Whether there is a video: it was finished, and newer ones have not replaced it."""
        return self.status == "completed" and self.video_removed_at is None


# The same as a condition: selects the compilations that have a video.
keeps_video = and_(Compilation.status == "completed", Compilation.video_removed_at.is_(None))
