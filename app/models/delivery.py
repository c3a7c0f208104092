"""Deliveries of notifications and of transactional messages, and what limits the latter."""

from datetime import datetime
from typing import Any

from advanced_alchemy.base import DefaultBase
from advanced_alchemy.types import BigIntIdentity
from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, and_, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.models.base import IdentityBase, partial_index

# Claimed at least twice and still pending: an earlier attempt was interrupted.
CLAIMED_AGAIN = "state = 'pending' AND claimed_by IS NOT NULL AND attempts > 1"


class Delivery(IdentityBase):
    """One notification on one channel to one address; or a transactional message, such as a
    password reset, with its name in `transactional` and its facts in `context`.

    `state` is `pending` (also while retrying), `sent`, `skipped`, `failed` (permanently refused) or
    `dead` (out of attempts or time). Every delay is expressed by `due_at`. `reason` is the code for
    why it was skipped, is deferred, or is dead (NULL if it ran out of attempts).

    Its time to live begins at `queued_at`: when it was last redelivered, or when its notification's
    snooze ends. NULL stands for `created_at`, so that a fan-out has no more to write.

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
        partial_index("ix_delivery_due", "channel", "due_at", where="state = 'pending'"),
        partial_index(
            "ix_delivery_unbundled", "user_id", where="state = 'pending' AND bundle_id IS NULL"
        ),
        partial_index("ix_delivery_bundle", "bundle_id", "due_at", where="state = 'pending'"),
        partial_index("ix_delivery_settled", "settled_at", where="settled_at IS NOT NULL"),
        partial_index("ix_delivery_claimed", "claimed_by", where="claimed_by IS NOT NULL"),
        partial_index("ix_delivery_interrupted", "channel", "attempts", where=CLAIMED_AGAIN),
        partial_index(
            "ix_delivery_outage", "channel", where="state = 'pending' AND reason = 'outage'"
        ),
        partial_index("ix_delivery_dead_letter", "settled_at", where="state IN ('failed', 'dead')"),
        partial_index("ix_delivery_transactional", "settled_at", where="notification_id IS NULL"),
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
    queued_at: Mapped[datetime | None]
    attempted_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


# A literal, as in the partial indexes: SQLite uses such an index only if the terms match.
is_pending = Delivery.state == literal_column("'pending'")
is_unbundled = and_(
    is_pending, Delivery.bundle_id.is_(None), Delivery.bundling.in_(("bundle", "digest"))
)


class Mailing(IdentityBase):
    """A transactional mail that anyone can cause, for its limits to count (app/mail/limits.py).

    `mailbox` is what `mailbox_of` (app/values/email_addresses.py) returns for the address.
    `sender_id` is the user who caused the mail, None for a stranger. It is no foreign key: the mail
    counts after the account is deleted, too. Deliveries cannot be counted instead: they are deleted
    together with the account that caused them.
    """

    __table_args__ = (Index("ix_mailing_mailbox", "name", "mailbox", "mailed_at"),)

    name: Mapped[str] = mapped_column(String(32))
    mailbox: Mapped[str] = mapped_column(String(254))
    sender_id: Mapped[int | None] = mapped_column(BigIntIdentity)
    mailed_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class Suppression(DefaultBase):
    """A mailbox whose owner wants no invitation mail (app/mail/suppressions.py). `mailbox_hash` is
    a keyed hash of what `mailbox_of` (app/values/email_addresses.py) makes of its address.
    """

    mailbox_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
