"""Teams, their members, and invitations to join them."""

from datetime import datetime

from advanced_alchemy.base import DefaultBase
from sqlalchemy import ColumnElement, ForeignKey, Index, String, and_, text
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database.moments import moment
from app.models.base import IdentityBase
from app.security import new_nonce


class Team(IdentityBase):
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Membership(DefaultBase):
    """One user in one team. `role`: `owner` (one per team), `admin`, `editor` or `viewer`."""

    __table_args__ = (
        Index(
            "uq_membership_owner",
            "team_id",
            unique=True,
            sqlite_where=text("role = 'owner'"),
            postgresql_where=text("role = 'owner'"),
        ),
    )

    team_id: Mapped[int] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(8))
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)


class Invitation(IdentityBase):
    """An invitation to a mail address. `status`: `pending`, `accepted`, `declined` or `revoked`.

    A pending invitation expires at `expires_at`. Its link contains its id and its random
    `link_nonce`, signed when it is shown or mailed, so the database holds no secret that would
    allow accepting it.

    `mailed_at` is when it was last mailed; `unmailed` is the code of the reason why it was not when
    it was last sent.
    """

    __table_args__ = (
        Index(
            "uq_invitation_pending",
            "team_id",
            "email_key",
            unique=True,
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )

    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    inviter_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    role: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(8), default="pending")
    link_nonce: Mapped[str] = mapped_column(String(32), default=new_nonce)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]
    unmailed: Mapped[str | None] = mapped_column(String(32))

    @property
    def is_expired(self) -> bool:
        """Whether it is pending, but too old to be answered."""
        return self.status == "pending" and self.expires_at <= clock.now()


def is_open() -> ColumnElement[bool]:
    """Selects the invitations that can be answered. May be part of a statement that is built once."""
    return and_(Invitation.status == "pending", Invitation.expires_at > moment())


def has_expired() -> ColumnElement[bool]:
    """Selects pending invitations that are too old to be answered. May be part of a statement that is
    built once.
    """
    return and_(Invitation.status == "pending", Invitation.expires_at <= moment())
