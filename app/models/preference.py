"""What users choose: channels for each event type, types without groups, saved views, mutes."""

from datetime import datetime

from advanced_alchemy.base import DefaultBase
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.models.base import IdentityBase, partial_index


class Preference(DefaultBase):
    """Whether a user wants one event type on one channel, where the catalogue's default differs."""

    # The fan-out looks up one key for each recipient; without a rowid each lookup saves a step.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy reads it once

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    type: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    wanted: Mapped[bool]


class UngroupedType(DefaultBase):
    """A type whose notifications a user wants to see one by one, never as a group."""

    # Like `Preference`, looked up by key for each notification.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy reads it once

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    type: Mapped[str] = mapped_column(String(32), primary_key=True)


class SavedView(IdentityBase):
    """A filter and search that a user keeps under a name. `query` is a query string of the list;
    views are in the order of `rank`.
    """

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(2000))
    rank: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Mute(IdentityBase):
    """A team or project whose ordinary events a user does not want to be notified of."""

    __table_args__ = (
        partial_index(
            "uq_mute_team", "team_id", "user_id", where="team_id IS NOT NULL", unique=True
        ),
        partial_index(
            "uq_mute_project", "project_id", "user_id", where="project_id IS NOT NULL", unique=True
        ),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
