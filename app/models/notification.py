"""Events, and the notifications of their recipients; delivery.py has the deliveries of each.

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
from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.models.base import IdentityBase, partial_index


class Change(IdentityBase):
    """A change that the live streams must show. `id` is its position.

    `kind` is `event` (`user_id` is NULL: it concerns every recipient of the event with this id), or
    a change to one user's notifications: `read`, `unread`, `done`, `undone`, `saved`, `unsaved`,
    `snoozed`, `returned`, `updated`, `deleted`, `restored` or `withdrawn`. Only open pages show
    `refreshed` (the notifications' actions have changed) and `regrouped` (the user has changed how
    lists are grouped or ordered). It applies to the notifications in `ids` (at most 1,000), or to
    the inbox up to the notification `up_to` and the position `up_to_position`.
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
# A notification is in one folder. The database column is still called `place`.
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
# The kind of change that a newer event makes to a notification.
UPDATED = "updated"
# The kind of change for a user's new choice of grouping or order.
REGROUPED = "regrouped"


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
        partial_index("ix_notification_place", "user_id", "place", "position", where=SHOWN),
        partial_index(
            "ix_notification_group", "group_key", "user_id", "place", "position", where=SHOWN
        ),
        partial_index(
            "ix_notification_collapse_key",
            "collapse_key",
            "user_id",
            where="collapse_key IS NOT NULL",
        ),
        partial_index("ix_notification_unread", "user_id", "place", "position", where=UNREAD),
        partial_index("ix_notification_saved", "user_id", "position", where=SAVED),
        partial_index("ix_notification_snoozed_until", "snoozed_until", where=WAITING),
        partial_index("ix_notification_unopened", "user_id", "target", where=UNOPENED),
        partial_index("ix_notification_type", "user_id", "type", "position", where=INBOX),
        partial_index("ix_notification_read_at", "read_at", where="read_at IS NOT NULL"),
        partial_index("ix_notification_deleted_at", "deleted_at", where="deleted_at IS NOT NULL"),
        partial_index("ix_notification_changed_in", "changed_in", where="changed_in IS NOT NULL"),
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
