"""What happened (event), who was told (notification), how they are reached (delivery).

Every field of the specification's Notification exists; the shared ones stand on the event:

    notification_type → Event.type       actor_id, team_id, project_id → Event, same names
    message           → rendered from the catalogue        context     → Event.context
    user_id, read_at  → Notification     is_read → read_at is not None
    created_at        → Event.created_at (a notice is as old as what it tells)

`change` allots the positions of the live streams, one row per act, in commit order.
"""

from datetime import datetime
from typing import Any

from advanced_alchemy.base import DefaultBase, IdentityBase
from advanced_alchemy.types import BigIntIdentity
from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app import clock


class Change(IdentityBase):
    """Something a stream must show. `id` is the position.

    `kind` is `event` (user_id NULL: everyone told of the event with this id), or what one person's
    notices went through: `read`, `unread`, `deleted`, `restored`, `withdrawn`. Those name the
    notices in `ids` (at most 1,000), or all of the inbox up to notice `up_to`.
    """

    __table_args__ = (Index("ix_change_user", "user_id", "id"), {"sqlite_autoincrement": True})

    kind: Mapped[str] = mapped_column(String(9))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    ids: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    up_to: Mapped[int | None] = mapped_column(BigIntIdentity)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class Event(DefaultBase):
    """Facts, not sentences; `id` is that of its change. It outlives what it is about:
    references become NULL, the names of the time live in `context`.
    """

    id: Mapped[int] = mapped_column(BigIntIdentity, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    affected_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    team_id: Mapped[int | None] = mapped_column(
        ForeignKey("team.id", ondelete="SET NULL"), index=True
    )
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("project.id", ondelete="SET NULL"), index=True
    )
    invitation_id: Mapped[int | None] = mapped_column(
        ForeignKey("invitation.id", ondelete="SET NULL"), index=True
    )
    compilation_id: Mapped[int | None] = mapped_column(
        ForeignKey("compilation.id", ondelete="SET NULL"), index=True
    )
    context: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


# The `deleted_in` of a withdrawn notification, which is no change, so that no undo can name it.
FOR_GOOD = 0
SHOWN = "deleted_at IS NULL AND NOT hidden"
UNREAD = "read_at IS NULL AND " + SHOWN
# In `Notification.deleted_in`: withdrawn. No change has this id, so no undo names it.
FOR_GOOD = 0


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


class Notification(IdentityBase):
    """One recipient's own row. `hidden`: another channel wants it, the app does not.

    `deleted_in` is the change that deleted it and can be undone by naming that change, or FOR_GOOD.
    """

    __table_args__ = (
        UniqueConstraint("user_id", "event_id"),
        _partial("ix_notification_shown", "user_id", "event_id", where=SHOWN),
        _partial("ix_notification_unread", "user_id", "event_id", where=UNREAD),
        _partial("ix_notification_type", "user_id", "type", "event_id", where=SHOWN),
        _partial("ix_notification_read_at", "read_at", where="read_at IS NOT NULL"),
        _partial("ix_notification_deleted_at", "deleted_at", where="deleted_at IS NOT NULL"),
        _partial("ix_notification_deleted_in", "deleted_in", where="deleted_in IS NOT NULL"),
        {"sqlite_autoincrement": True},
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(String(32))
    hidden: Mapped[bool]
    read_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    deleted_in: Mapped[int | None] = mapped_column(BigIntIdentity)


# Under a claim for the second time or more, and due again: its attempts break off.
BROKEN_OFF = "state = 'pending' AND claimed_by IS NOT NULL AND attempts > 1"


class Delivery(IdentityBase):
    """One notification on one channel to one address; or a letter of its own (`letter`, about
    the account or invitation in `context`), such as a password reset.

    `state` is `pending` (also while retrying), `sent`, `skipped` (with `reason`), `failed`
    (refused for good) or `dead` (attempts or time used up). All waiting is `due_at`.

    `gathering`: it goes `alone`, in a `bundle` with what else comes within the wait, or in the
    `digest`. `bundle_id`, the first delivery of the mail it went into, is fixed when the mail is
    first attempted, so that every further attempt sends the same mail. `claimed_by` names the
    claim it is under; where it is due in spite of that, its attempt broke off.
    """

    __table_args__ = (
        UniqueConstraint("notification_id", "channel", "address"),
        _partial("ix_delivery_due", "channel", "due_at", where="state = 'pending'"),
        _partial("ix_delivery_loose", "user_id", where="state = 'pending' AND bundle_id IS NULL"),
        _partial("ix_delivery_bundle", "bundle_id", "due_at", where="state = 'pending'"),
        _partial("ix_delivery_settled", "settled_at", where="settled_at IS NOT NULL"),
        _partial("ix_delivery_claimed", "claimed_by", where="claimed_by IS NOT NULL"),
        _partial("ix_delivery_broken", "channel", "attempts", where=BROKEN_OFF),
        _partial("ix_delivery_held", "channel", where="state = 'pending' AND reason = 'outage'"),
        _partial("ix_delivery_lost", "settled_at", where="state IN ('failed', 'dead')"),
        _partial("ix_delivery_letter", "settled_at", where="notification_id IS NULL"),
    )

    notification_id: Mapped[int | None] = mapped_column(
        ForeignKey("notification.id", ondelete="CASCADE")
    )
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(320))
    subscription_id: Mapped[int | None] = mapped_column(
        ForeignKey("push_subscription.id", ondelete="SET NULL"), index=True
    )
    gathering: Mapped[str] = mapped_column(String(6), default="alone")
    bundle_id: Mapped[int | None] = mapped_column(BigIntIdentity)
    letter: Mapped[str | None] = mapped_column(String(32))
    context: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(String(8), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    claimed_by: Mapped[str | None] = mapped_column(String(40))
    error: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    settled_at: Mapped[datetime | None]


class PushSubscription(IdentityBase):
    """One browser of one person (RFC 8030), called a device before people; `name` is for them.

    It belongs to whoever is signed in there (`session_id`). `vapid_key` is the public key it was
    made with, `failing_since` when its push service began to refuse, `refused_at` when it did so
    last, with `error`.
    """

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[int | None] = mapped_column(
        ForeignKey("web_session.id", ondelete="SET NULL"), index=True
    )
    endpoint: Mapped[str] = mapped_column(String(2048))
    endpoint_hash: Mapped[str] = mapped_column(String(64), unique=True)
    p256dh: Mapped[str] = mapped_column(String(100))
    auth: Mapped[str] = mapped_column(String(32))
    vapid_key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(80))
    error: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]


class RemovedDevice(IdentityBase):
    """A push subscription that its person removed from the list, elsewhere maybe: its browser is to
    give it up at the next visit, where one that was lost in any other way is renewed.
    """

    __table_args__ = (UniqueConstraint("user_id", "endpoint_hash"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    endpoint_hash: Mapped[str] = mapped_column(String(64))
    removed_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class IngestKey(IdentityBase):
    """An idempotency key that other software sent with an event; it is good for 24 hours.

    `recipients` is how many were told: the answer to the first request, given again.
    """

    __table_args__ = (UniqueConstraint("user_id", "key"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(200))
    event_id: Mapped[int] = mapped_column(BigIntIdentity)
    recipients: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class Preference(DefaultBase):
    """Whether a user wants one event type on one channel, where the catalogue's default differs."""

    # The fan-out looks up one key for each recipient; without a rowid that takes one step less.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy reads it once

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    type: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    wanted: Mapped[bool]


class Mute(IdentityBase):
    """A team or project whose ordinary events a user does not want to be notified of."""

    __table_args__ = (
        _partial("uq_mute_team", "team_id", "user_id", where="team_id IS NOT NULL", unique=True),
        _partial(
            "uq_mute_project", "project_id", "user_id", where="project_id IS NOT NULL", unique=True
        ),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))


class CleanUp(IdentityBase):
    """What one night's retention removed: {"notifications": 120, …}."""

    removed: Mapped[dict[str, int]] = mapped_column(JSON)
    finished_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
