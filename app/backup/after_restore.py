"""What a restored database must not take up where the backup left off.

Between the backup and the restore, time went on: sessions ended, mails went out, ids and positions
were given out. The rows do not know of it.
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
from app.models.notification import is_pending
from app.notifications.delivery.decision import RESTORED

# Ids live on in links, bookmarks, file names and clients. At least this many are left out, and as
# many as were ever given out.
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
    """One that was ended since the backup would be open again. Devices keep their pushes."""
    connection.execute(update(PushSubscription).values(session_id=None))
    connection.execute(delete(WebSession))
    connection.execute(delete(UploadReservation))


def _skip_deliveries(connection: Connection) -> None:
    """Those that may have been sent since the backup: what has come due, and what was being sent."""
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
