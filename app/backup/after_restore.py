"""Adapts restored rows to what may have happened since the backup.

After the backup, sessions ended, mails were sent, and ids and positions were allocated. The
restored rows do not reflect that.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, or_, update

from app import clock
from app.backup.target import Target
from app.backup.values import Table
from app.models import (
    Change,
    Compilation,
    Delivery,
    PushSubscription,
    UploadReservation,
    WebSession,
)
from app.models.delivery import is_pending
from app.notifications.delivery.decision import RESTORED

# Ids live on in links, bookmarks, file names and clients, so sequences skip at least this many ids,
# and as many as had been allocated.
MARGIN = 1_000_000


def settle(target: Target, tables: Iterable[Table]) -> None:
    """In the transaction that fills the database, once it has the newest schema."""
    for table in tables:
        if table.sequence is not None:
            target.continue_after(table, 2 * table.sequence + MARGIN)
    _end_sessions(target.connection)
    _skip_deliveries(target.connection)
    _restart_compilations(target.connection)
    _forget_positions(target.connection)


def _end_sessions(connection: Connection) -> None:
    """Otherwise sessions that were ended since the backup would be open again. Push devices stay."""
    connection.execute(update(PushSubscription).values(session_id=None))
    connection.execute(delete(WebSession))
    connection.execute(delete(UploadReservation))


def _skip_deliveries(connection: Connection) -> None:
    """Skips deliveries that may have been sent since the backup: due ones and those being sent."""
    now = clock.now()
    skipped = {"state": "skipped", "reason": RESTORED, "due_at": now, "settled_at": now}
    may_be_sent = or_(Delivery.due_at <= now, Delivery.claimed_by.is_not(None))
    due = update(Delivery).where(is_pending, may_be_sent)
    connection.execute(due.values(claimed_by=None, **skipped))


def _restart_compilations(connection: Connection) -> None:
    """Their workers are gone, and the attempt does not count. A worker looks for them each minute."""
    running = update(Compilation).where(Compilation.status == "running")
    connection.execute(running.values(status="queued", attempts=0, progress=0.0, touched_at=None))


def _forget_positions(connection: Connection) -> None:
    """A client that resumes its stream from any position must read its inbox again."""
    connection.execute(delete(Change))
