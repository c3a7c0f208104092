"""Events, the notifications of their recipients, and the deliveries of each notification.

Every field of the specification's Notification exists; those that recipients share are on Event:

    notification_type → Event.type       actor_id, team_id, project_id → Event, same names
    message           → rendered from the catalogue        context     → Event.context
    user_id, read_at  → Notification     is_read → read_at is not None
    created_at        → Event.created_at (a notification is as old as its event)

`Change` allocates the positions of the live streams, one row per act, in commit order.
"""

from datetime import datetime
from typing import Any

from advanced_alchemy.base import DefaultBase
from advanced_alchemy.types import BigIntIdentity
from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    and_,
    false,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.models.base import IdentityBase


class Change(IdentityBase):
    """A change that the live streams must show. `id` is its position.

    `kind` is `event` (`user_id` is NULL: it concerns every recipient of the event with this id), or
    a change to one user's notifications: `read`, `unread`, `done`, `undone`, `saved`, `unsaved`,
    `snoozed`, `returned`, `updated`, `deleted`, `restored` or `withdrawn`, or `refreshed` or
    `regrouped`, which only open pages show: the actions of the notifications have changed, or the
    user's choice of what forms groups and what comes first. It applies to the notifications in
    `ids` (at most 1,000), or to the inbox up to the notification `up_to` and the position
    `up_to_position`.
    """

    __table_args__ = (Index("ix_change_user", "user_id", "id"),)

    kind: Mapped[str] = mapped_column(String(9))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    ids: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    up_to: Mapped[int | None] = mapped_column(BigIntIdentity)
    up_to_position: Mapped[int | None] = mapped_column(BigIntIdentity)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class Event(DefaultBase):
    """An occurrence, stored as facts rather than text. `id` is the id of its change.

    When a referenced row is deleted, the event stays and the reference becomes NULL; `context`
    holds the names as they were when the event occurred.
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


SHOWN = "deleted_at IS NULL AND NOT hidden"
# The folders of a notification: it is in one of them. Their column is `place`.
FOLDERS = IN_INBOX, DONE, SNOOZED = "inbox", "done", "snoozed"
INBOX = f"place = '{IN_INBOX}' AND " + SHOWN
UNREAD = "read_at IS NULL AND " + INBOX
SAVED = "is_saved AND " + SHOWN
WAITING = f"place = '{SNOOZED}' AND deleted_at IS NULL"
# Includes hidden ones: reading what they are about stops their mail and push.
UNOPENED = "read_at IS NULL AND deleted_at IS NULL AND target IS NOT NULL"
# `Notification.changed_in` of a withdrawn notification. No change has this id, so undo cannot
# restore it.
FOR_GOOD = 0
# The kind of a change by which a newer event updated a notification.
UPDATED = "updated"
# The kind of a change by which a user chose what forms groups, or what comes first.
REGROUPED = "regrouped"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


class Notification(IdentityBase):
    """One recipient's row for an event. `hidden`: delivered on other channels but not shown in the
    app.

    `position` is the sort key, newest first: the position of its event, or of the change with which
    it came back to the top. `folder` is where it is; `snoozed_until` is set only while it is snoozed.

    `target` is the path of the page that opens it, by its type in the catalogue: a visit to
    that page marks it as read. NULL if only its own page opens it.

    Notifications with the same `group_key` form a group (app/notifications/events/grouping.py). A newer
    event with the same `collapse_key` takes the place of the event (app/notifications/supersede.py),
    last at `updated_at`.

    `changed_in` is the id of the change that last read, deleted or otherwise marked it, for undo;
    or FOR_GOOD; NULL if nothing has. The columns `earlier_…` are the state before that change,
    which undo restores.
    """

    __table_args__ = (
        UniqueConstraint("user_id", "event_id"),
        _partial("ix_notification_place", "user_id", "place", "position", where=SHOWN),
        _partial("ix_notification_group", "group_key", "user_id", "place", "position", where=SHOWN),
        _partial(
            "ix_notification_collapse_key",
            "collapse_key",
            "user_id",
            where="collapse_key IS NOT NULL",
        ),
        _partial("ix_notification_unread", "user_id", "place", "position", where=UNREAD),
        _partial("ix_notification_saved", "user_id", "position", where=SAVED),
        _partial("ix_notification_snoozed_until", "snoozed_until", where=WAITING),
        _partial("ix_notification_unopened", "user_id", "target", where=UNOPENED),
        _partial("ix_notification_type", "user_id", "type", "position", where=INBOX),
        _partial("ix_notification_read_at", "read_at", where="read_at IS NOT NULL"),
        _partial("ix_notification_deleted_at", "deleted_at", where="deleted_at IS NOT NULL"),
        _partial("ix_notification_changed_in", "changed_in", where="changed_in IS NOT NULL"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(String(32))
    target: Mapped[str | None] = mapped_column(String(64))
    hidden: Mapped[bool]
    position: Mapped[int] = mapped_column(BigIntIdentity, default=0, server_default="0")
    folder: Mapped[str] = mapped_column(
        "place", String(7), default=IN_INBOX, server_default=IN_INBOX
    )
    is_saved: Mapped[bool] = mapped_column(default=False, server_default=false())
    snoozed_until: Mapped[datetime | None]
    group_key: Mapped[str] = mapped_column(String(200), default="", server_default="")
    read_at: Mapped[datetime | None]
    collapse_key: Mapped[str | None] = mapped_column(String(150))
    updated_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    changed_in: Mapped[int | None] = mapped_column(BigIntIdentity)
    earlier_read_at: Mapped[datetime | None]
    earlier_folder: Mapped[str | None] = mapped_column("earlier_place", String(7))
    earlier_snoozed_until: Mapped[datetime | None]
    earlier_is_saved: Mapped[bool | None]


class Superseded(IdentityBase):
    """An earlier event of a notification, which a newer event with the same `collapse_key` has
    replaced, and the key of the group that it was in.
    """

    __table_args__ = (UniqueConstraint("notification_id", "event_id"),)

    notification_id: Mapped[int] = mapped_column(ForeignKey("notification.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    group_key: Mapped[str] = mapped_column(String(200))


# Claimed at least twice and still pending: an earlier attempt was interrupted.
CLAIMED_AGAIN = "state = 'pending' AND claimed_by IS NOT NULL AND attempts > 1"


class Delivery(IdentityBase):
    """One notification on one channel to one address; or a transactional message, such as a
    password reset, with its name in `transactional` and its facts in `context`.

    `state` is `pending` (also while retrying), `sent`, `skipped`, `failed` (permanently refused) or
    `dead` (out of attempts or time). Every delay is expressed by `due_at`. `reason` is the code for
    why it was skipped, is deferred, or is dead (NULL if it ran out of attempts).

    `failure`, `host`, `status_code` and `detail` describe how the last attempt, at `attempted_at`,
    failed: our code, the host that responded or was unreachable, its SMTP or HTTP status, and its
    response text. They are NULL before the first attempt and after a successful one.

    `bundling`: sent `alone`, in a `bundle` with other deliveries due within the delay, or in the
    `digest`. `bundle_id` is the id of the first delivery in the same mail. It is set at the first
    attempt, so that every retry sends the same mail. `claimed_by` identifies the claim; a claimed
    delivery that is due was interrupted.
    """

    __table_args__ = (
        UniqueConstraint("notification_id", "channel", "address"),
        _partial("ix_delivery_due", "channel", "due_at", where="state = 'pending'"),
        _partial(
            "ix_delivery_unbundled", "user_id", where="state = 'pending' AND bundle_id IS NULL"
        ),
        _partial("ix_delivery_bundle", "bundle_id", "due_at", where="state = 'pending'"),
        _partial("ix_delivery_settled", "settled_at", where="settled_at IS NOT NULL"),
        _partial("ix_delivery_claimed", "claimed_by", where="claimed_by IS NOT NULL"),
        _partial("ix_delivery_interrupted", "channel", "attempts", where=CLAIMED_AGAIN),
        _partial("ix_delivery_outage", "channel", where="state = 'pending' AND reason = 'outage'"),
        _partial("ix_delivery_dead_letter", "settled_at", where="state IN ('failed', 'dead')"),
        _partial("ix_delivery_transactional", "settled_at", where="notification_id IS NULL"),
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
    bundling: Mapped[str] = mapped_column(String(6), default="alone")
    bundle_id: Mapped[int | None] = mapped_column(BigIntIdentity)
    transactional: Mapped[str | None] = mapped_column(String(32))
    context: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(String(8), default="pending")
    reason: Mapped[str | None] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    claimed_by: Mapped[str | None] = mapped_column(String(40))
    failure: Mapped[str | None] = mapped_column(String(32))
    host: Mapped[str | None] = mapped_column(String(255))
    status_code: Mapped[int | None]
    detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    attempted_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Mailing(IdentityBase):
    """A transactional mail that anyone can cause, for its limits to count (app/mail/limits.py).

    `mailbox` is what `mailbox_of` (app/values/email_addresses.py) returns for the address.
    Deliveries cannot be counted instead: they are deleted together with the account that caused
    them.
    """

    __table_args__ = (Index("ix_mailing_mailbox", "name", "mailbox", "mailed_at"),)

    name: Mapped[str] = mapped_column(String(32))
    mailbox: Mapped[str] = mapped_column(String(254))
    mailed_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class Suppression(DefaultBase):
    """A mailbox whose owner wants no invitation mail (app/mail/suppressions.py). `mailbox_hash` is
    a keyed hash of what `mailbox_of` (app/values/email_addresses.py) makes of its address.
    """

    mailbox_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


# A literal, as in the partial indexes: SQLite uses such an index only if the terms match.
is_pending = Delivery.state == literal_column("'pending'")
is_unbundled = and_(
    is_pending, Delivery.bundle_id.is_(None), Delivery.bundling.in_(("bundle", "digest"))
)


class PushSubscription(IdentityBase):
    """A push subscription (RFC 8030) of one browser, shown to users as a device called `name`.

    It belongs to the user who is signed in there (`session_id`). `vapid_key` is the public key it
    was created with. `failing_since` is when its push service began to refuse pushes, `refused_at`
    the latest refusal, and `refused_status` its HTTP status (NULL if we refused the service).
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
    refused_status: Mapped[int | None]
    failing_since: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]


class RemovedDevice(IdentityBase):
    """A push subscription that its user removed from the device list, possibly in another browser.

    Its browser unsubscribes at the next visit. A subscription lost in any other way is renewed.
    """

    __table_args__ = (UniqueConstraint("user_id", "endpoint_hash"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    endpoint_hash: Mapped[str] = mapped_column(String(64))
    removed_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class IngestKey(IdentityBase):
    """An idempotency key that an integration sent with an event, valid for 24 hours.

    `recipients` is the number of recipients, so that a repeated request gets the same response.
    """

    __table_args__ = (UniqueConstraint("user_id", "key"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(200))
    event_id: Mapped[int] = mapped_column(BigIntIdentity)
    recipients: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


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
        _partial("uq_mute_team", "team_id", "user_id", where="team_id IS NOT NULL", unique=True),
        _partial(
            "uq_mute_project", "project_id", "user_id", where="project_id IS NOT NULL", unique=True
        ),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))


class CleanUp(IdentityBase):
    """The numbers of rows that one retention run removed: {"notifications": 120, …}."""

    removed: Mapped[dict[str, int]] = mapped_column(JSON)
    finished_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class RemovalCount(DefaultBase):
    """How many notifications, changes and superseded events were ever removed (on PostgreSQL, by how
    many statements), counted by triggers: one row, with id 1.
    """

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigIntIdentity)
