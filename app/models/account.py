"""Who can sign in, and where they are signed in."""

from datetime import datetime

from advanced_alchemy.base import DefaultBase, IdentityBase
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app import clock


class User(IdentityBase):
    """A person. `username_key` and `email_key` are the case-folded forms that must be unique.

    `pending_email` is an address the person wants to change to and has not confirmed yet.
    An empty `timezone` or `language` is filled from the browser at the first visit.
    `email_gone_at`: the address was refused for good. `digest_due_at`: when the next digest is
    due, while digests are on. `visible_until`: a page is being looked at until then; pushes are
    spared meanwhile unless `pushes_always`.
    """

    username: Mapped[str] = mapped_column(String(32))
    username_key: Mapped[str] = mapped_column(String(32), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    email_confirmed_at: Mapped[datetime | None]
    email_gone_at: Mapped[datetime | None]
    pending_email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str]
    is_admin: Mapped[bool] = mapped_column(default=False)
    timezone: Mapped[str] = mapped_column(String(64), default="")
    language: Mapped[str] = mapped_column(String(16), default="")
    theme: Mapped[str] = mapped_column(String(8), default="")
    digest_is_on: Mapped[bool] = mapped_column(default=False)
    digest_frequency: Mapped[str] = mapped_column(String(6), default="daily")
    digest_hour: Mapped[int] = mapped_column(default=8)
    digest_due_at: Mapped[datetime | None] = mapped_column(index=True)
    pushes_always: Mapped[bool] = mapped_column(default=False)
    visible_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def is_confirmed(self) -> bool:
        return self.email_confirmed_at is not None


class WebSession(IdentityBase):
    """One browser in which a person is signed in; the cookie holds the token, this its SHA-256."""

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen_at: Mapped[datetime] = mapped_column(default=clock.now)


class Token(IdentityBase):
    """A key for programs that act as this person; only its SHA-256 is kept. `scope`: read or write."""

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(5))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]


class Throttle(DefaultBase):
    """How often something was tried within a window that ends at `resets_at`."""

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    count: Mapped[int]
    resets_at: Mapped[datetime] = mapped_column(index=True)
