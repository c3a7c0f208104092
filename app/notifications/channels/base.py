"""The interface of a channel, and the possible outcomes of an attempt to deliver on it.

A channel is a subclass of `Channel` in a folder of its own and a line in `channels.CHANNELS`. It
needs to know nothing of the outbox, which claims deliveries, decides which are sent, hands those
to the channel, and records the outcomes.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from sqlalchemy import ColumnElement, Row, Select, literal, null, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.database.moments import moment
from app.mail.transactional import TransactionalMails
from app.models import Delivery, Notification, User
from app.notifications.events.audience import EVENT
from app.notifications.events.event_type import EventType
from app.notifications.preferences.channels import ChannelDescription
from app.notifications.preferences.switches import UserId, wants
from app.security import Signer
from app.settings import Settings

# Reasons to wait: the channel's service is unreachable, or has asked for a pause.
OUTAGE, RESTING = "outage", "resting"
# Failures of any channel, besides those of app.outgoing: the service refused, permanently or
# temporarily; the message could not be written; an unhandled error.
REFUSED, UNAVAILABLE = "refused", "unavailable"
UNWRITABLE, UNEXPECTED = "unwritable", "unexpected"
# Why there is no delivery although the user wants such events on the channel.
OFF_THEN = "off_then"
OK, WARNING, ERROR = "ok", "warning", "ERROR"


@dataclass(frozen=True)
class DeliveryFailure:
    """Why an attempt failed. `code` is one of the above or one of the channel's `words`.

    `status_code` is from SMTP or HTTP. `detail` is the verbatim message of the service or of a
    library.
    """

    code: str
    host: str | None = None
    status_code: int | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Sent:
    """The service has accepted it."""


@dataclass(frozen=True)
class Failed:
    """`is_final`: no further attempt can succeed. Otherwise it is retried, but not before
    `retry_after`. `is_outage`: the service fails for everyone, so the rest of the batch is not
    attempted. `is_unreachable`: the service did not respond; the deliveries wait until it does.
    """

    failure: DeliveryFailure
    is_final: bool = False
    retry_after: timedelta | None = None
    is_outage: bool = False
    is_unreachable: bool = False


@dataclass(frozen=True)
class Wait:
    """Not attempted, and not counted as an attempt: due again at `until`. `reason` is a code.
    `begins_anew`: its time to live begins only then.
    """

    until: datetime
    reason: str
    begins_anew: bool = False


SENT = Sent()
Outcome = Sent | Failed | Wait
# The ids of deliveries, and the outcome that they share.
Settled = tuple[Sequence[int], Outcome]


class Undelivered(Exception):
    """Raised when an attempt fails. `is_gone`: the address will never work again."""

    def __init__(self, outcome: Failed, *, is_gone: bool = False) -> None:
        super().__init__(outcome.failure)
        self.outcome, self.is_gone = outcome, is_gone


class Batch(Protocol):
    """Claimed deliveries while their channel sends them."""

    async def decide(self) -> Sequence[Row[Any]]:
        """The deliveries to send now, in order, as `Channel.with_facts` reads them. Each call
        decides again on all that have not begun, so that recent changes count.
        """

    def begin(self, delivery_ids: Sequence[int]) -> None:
        """Marks deliveries that are about to be sent: they are not decided again, only settled."""

    def is_over(self) -> bool:
        """Whether to begin no more: the worker is stopping, or others wait for their turn."""


@dataclass(frozen=True)
class Parts:
    """The parts of an installation that channels are built from."""

    settings: Settings
    signer: Signer
    transactional_mails: TransactionalMails


@dataclass(frozen=True)
class CheckResult:
    """A line of the doctor's report. `status` is OK, WARNING (it works, but may not be intended) or
    ERROR.
    """

    check: str
    status: str
    sentence: str


class Channel(ABC):
    """A way of reaching people outside the app. Attributes with a value are optional."""

    description: ChannelDescription
    # How long to wait after the first failed attempt, the second, …. A delivery that fails again
    # after the last pause is dead.
    pauses: Sequence[timedelta]
    # How many deliveries to claim at a time.
    batch_size = 100
    # How long an ordinary delivery waits, in case it is read in the app first.
    delay = timedelta(0)
    # Whether several deliveries to one user may become one message.
    bundles = False
    # How long an ordinary delivery is held back after a page reported that it is in view.
    quiet_while_visible: timedelta | None = None
    # Sentences for the channel's own codes: reasons, and failures with {host} and {detail}.
    words: Mapping[str, str] = {}

    @property
    def name(self) -> str:
        return self.description.name

    @classmethod
    @abstractmethod
    def open(cls, parts: Parts) -> Self:
        """Raises SettingError if a setting is invalid."""

    @abstractmethod
    def deliveries(self, event_type: EventType) -> Select[Any]:
        """The rows that an event of this type adds, usually built by `rows_for`. Not called for each
        event, so times are written as `moment`, and ids of the event as the parameters in audience.py.
        """

    @abstractmethod
    def send(self, db: Database, batch: Batch) -> AsyncGenerator[Settled]:
        """Send a batch and yield outcomes; deliveries without one were not attempted."""

    def with_facts(self, rows: Select[Any]) -> Select[Any]:
        """Add the columns that sending needs to a select of deliveries, which already joins User,
        Notification and Event (any of them may be missing). Called once, so nothing in it may depend
        on the time.
        """
        return rows

    def address_problem(self) -> ColumnElement[Any]:
        """A column of that select: a reason not to use the address, or NULL. Called once as well."""
        return null()

    def time_to_live(self, _event_type: EventType | None) -> timedelta | None:
        """After how long an event of this type (None: a transactional message) is no longer
        worth sending; None for never.
        """
        return None

    async def find_obsolete(
        self, _session: AsyncSession, _transactional: Sequence[Row[Any]]
    ) -> Mapping[int, str]:
        """Which of these transactional messages are no longer useful: a reason by id."""
        return {}

    async def read_address_labels(
        self, _session: AsyncSession, deliveries: Sequence[Delivery]
    ) -> Mapping[int, str]:
        """The address of each delivery as users see it, by the delivery's id."""
        return {one.id: one.address for one in deliveries}

    def why_none(self, _user: User) -> str:
        """The reason why an event that the user wants on this channel made no delivery."""
        return OFF_THEN

    async def is_reachable(self) -> bool:
        """Whether the service responds; called while deliveries wait for it."""
        return True

    @classmethod
    async def check(cls, _settings: Settings, _timeout: float) -> Sequence[CheckResult]:
        """Try the settings for the doctor. `timeout` is in seconds, for each step."""
        return []

    async def close(self) -> None:  # noqa: B027 - most hold nothing
        """Release resources. Called once, on the event loop that the channel was used on."""


Channels = Mapping[str, Channel]


def channels_of(session: AsyncSession) -> Channels:
    """The channels of the installation that opened this session, by name."""
    channels: Channels = session.info["channels"]
    return channels


def rows_for(
    channel: str,
    event_type: EventType,
    *,
    address: Any,
    due_at: Any = None,
    user_id: UserId = Notification.user_id,
    **columns: Any,
) -> Select[Any]:
    """A delivery for each recipient of an event who wants its type on `channel`, as a select from
    Notification that can be joined and narrowed. Columns are SQL expressions over Notification and
    the joined tables; `due_at` defaults to now.

    Preferences are looked up by `user_id`. A channel that few users have an address on passes the
    column of its own table, so that only their preferences are looked up.
    """
    now = moment()
    values = {
        "notification_id": Notification.id,
        "user_id": Notification.user_id,
        "channel": literal(channel),
        "address": address,
        "bundling": literal("alone"),
        "due_at": now if due_at is None else due_at,
        "state": literal("pending"),
        "attempts": literal(0),
        "created_at": now,
    } | columns
    return (
        select(*(value.label(name) for name, value in values.items()))
        .select_from(Notification)
        .where(Notification.event_id == EVENT, wants(user_id, event_type, channel))
    )
