"""Users, their sessions and access tokens, and the counters of the rate limits."""

from datetime import datetime

from advanced_alchemy.base import DefaultBase
from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text, true
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.models.base import IdentityBase
from app.security import new_nonce
from app.values.usernames import skeleton


def _skeleton(row: DefaultExecutionContext) -> str:
    return skeleton(row.get_current_parameters()["username_key"])  # type: ignore[no-untyped-call]


class User(IdentityBase):
    """A person with an account.

    `username_key`, `email_key`: case-folded, so that uniqueness ignores case. An address is unique
    among the accounts that have confirmed it. `username_skeleton` is the same for names that look
    alike; no new account may have the same skeleton as another.
    `email_gone_at`: when a mail server permanently refused the address; we send no more mail to it.
    `link_nonce`: random; in every link that we mail to the user. It is replaced with the address,
    so that links mailed to an earlier address end.
    `has_old_links`: unsubscribe links without a nonce, from earlier versions, still work.
    `pending_email`: a new address that the user has not confirmed yet, waiting until
    `pending_email_until`. `pending_email_nonce` is random, and new with each request.
    `timezone`, `language`: empty until filled from the browser at the first visit.
    `digest_due_at`: when the next digest is due; None while digests are off.
    `added_directly_by`: who may add the user to a team without an invitation: `anyone`, `teammates`
    (users they share a team with) or `nobody`.
    `compiled_at`: when a compilation of the user last started; users take turns by it.
    `grouping`, `density`, `shortcuts`, `sound`, `urgent_first`: how the user's inbox looks and acts.
    `sound`: whether an urgent notification is heard.
    `visible_until`: until then the user is assumed to have a page in view, and pushes are skipped
    unless `pushes_always`.
    `avatar`: the hash of the user's picture (app/accounts/avatars.py); None if they have none.
    `suspended_at`: when an administrator suspended the account; None while it is not suspended.
    `last_seen_at`: accurate to ten minutes.
    """

    __table_args__ = (
        Index(
            "uq_user_confirmed_email",
            "email_key",
            unique=True,
            sqlite_where=text("email_confirmed_at IS NOT NULL"),
            postgresql_where=text("email_confirmed_at IS NOT NULL"),
        ),
    )

    username: Mapped[str] = mapped_column(String(32))
    username_key: Mapped[str] = mapped_column(String(32), unique=True)
    username_skeleton: Mapped[str] = mapped_column(String(32), default=_skeleton, index=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    email_confirmed_at: Mapped[datetime | None]
    email_gone_at: Mapped[datetime | None]
    link_nonce: Mapped[str] = mapped_column(String(32), default=new_nonce)
    has_old_links: Mapped[bool] = mapped_column(default=False)
    pending_email: Mapped[str | None] = mapped_column(String(254))
    pending_email_nonce: Mapped[str | None] = mapped_column(String(32))
    pending_email_until: Mapped[datetime | None]
    password_hash: Mapped[str]
    is_admin: Mapped[bool] = mapped_column(default=False)
    timezone: Mapped[str] = mapped_column(String(64), default="")
    language: Mapped[str] = mapped_column(String(16), default="")
    theme: Mapped[str] = mapped_column(String(8), default="")
    avatar: Mapped[str | None] = mapped_column(String(32))
    digest_is_on: Mapped[bool] = mapped_column(default=False)
    digest_frequency: Mapped[str] = mapped_column(String(6), default="daily")
    digest_hour: Mapped[int] = mapped_column(default=8)
    digest_due_at: Mapped[datetime | None] = mapped_column(index=True)
    pushes_always: Mapped[bool] = mapped_column(default=False)
    added_directly_by: Mapped[str] = mapped_column(
        String(9), default="anyone", server_default="anyone"
    )
    grouping: Mapped[bool] = mapped_column(default=True, server_default=true())
    density: Mapped[str] = mapped_column(
        String(11), default="comfortable", server_default="comfortable"
    )
    shortcuts: Mapped[bool] = mapped_column(default=True, server_default=true())
    sound: Mapped[bool] = mapped_column(default=False, server_default=false())
    urgent_first: Mapped[bool] = mapped_column(default=False, server_default=false())
    visible_until: Mapped[datetime | None]
    compiled_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def is_confirmed(self) -> bool:
        return self.email_confirmed_at is not None

    @property
    def awaited_email(self) -> str:
        """The pending address, "" if there is none or it has expired."""
        is_waiting = self.pending_email_until and self.pending_email_until > clock.now()
        return self.pending_email or "" if is_waiting else ""


class WebSession(IdentityBase):
    """One signed-in browser. Its cookie holds a token, this row the token's SHA-256."""

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen_at: Mapped[datetime] = mapped_column(default=clock.now)


class Token(IdentityBase):
    """An access token, stored as its SHA-256. `scope`: `read` or `write`."""

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(5))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]


class SignInPlace(IdentityBase):
    """A browser or network from which a user has signed in.

    `kind` is `browser` (`value` is the SHA-256 of its device cookie) or `network` (`value` is a /24
    of IPv4 or a /48 of IPv6). `last_seen_at` is the last sign-in from there.
    """

    __table_args__ = (UniqueConstraint("user_id", "kind", "value"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(7))
    value: Mapped[str] = mapped_column(String(64))
    first_seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen_at: Mapped[datetime] = mapped_column(default=clock.now)


class EndingCount(DefaultBase):
    """Two counters (app/accounts/endings.py). Row 1: how often sessions or access tokens were
    ended, or accounts suspended. Row 2, counted by triggers: how often a row of these was deleted
    or an account changed.
    """

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]


class Throttle(DefaultBase):
    """The number of attempts for one key in the window that ends at `resets_at`."""

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    count: Mapped[int]
    resets_at: Mapped[datetime] = mapped_column(index=True)
