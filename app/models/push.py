"""The browsers that receive pushes, and those that their users removed."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.models.base import IdentityBase


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
