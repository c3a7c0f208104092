"""store outcomes of deliveries as data: codes, host and status in place of English sentences"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = 10_000
RENAMED = {"gathering": "bundling", "letter": "transactional", "error": "detail"}
# Old name of an index of `delivery`, new name, columns, condition.
INDEXES = (
    ("loose", "unbundled", ["user_id"], "state = 'pending' AND bundle_id IS NULL"),
    (
        "broken",
        "interrupted",
        ["channel", "attempts"],
        "state = 'pending' AND claimed_by IS NOT NULL AND attempts > 1",
    ),
    ("held", "outage", ["channel"], "state = 'pending' AND reason = 'outage'"),
    ("lost", "dead_letter", ["settled_at"], "state IN ('failed', 'dead')"),
    ("letter", "transactional", ["settled_at"], "notification_id IS NULL"),
)
DELIVERY = sa.table(
    "delivery",
    *(
        sa.column(name)
        for name in ["id", "channel", "state", "reason", "failure", "host", "status_code", "detail"]
    ),
)
SUBSCRIPTION = sa.table(
    "push_subscription", sa.column("id"), sa.column("error"), sa.column("refused_status")
)
CLEAN_UP = sa.table("clean_up", sa.column("id"), sa.column("removed", sa.JSON))
NOTHING = {"reason": None, "failure": None, "host": None, "status_code": None, "detail": None}

# What the old version wrote into `error`.
EXPIRED, BEFORE = "It was no news any more.", " Before: "
INTERRUPTED = "Each attempt broke off."
HUNG_UP, NO_ADDRESS = "The push service has hung up.", "It has no address."
NOT_HTTP = "The answer was not HTTP."
REFUSALS = {
    "This is not the address of a push service.": "invalid_endpoint",
    "This push service is not one of those that are allowed.": "not_allowed",
    "The push service is at an address inside our own network.": "internal_address",
}
SMTP_REPLY = re.compile(r"(-1|\d{3}) (.*)", re.DOTALL)
PUSH_REPLY = re.compile(r"(\d{3}) from (\S+?)(: the device has unsubscribed\.)?")
NO_PUSH_REPLY = re.compile(r"([\w.-]+): (.+)", re.DOTALL)
SILENCE = re.compile(r"No answer within (\S+) seconds\.")
EXCEPTION = re.compile(r"\w+\(.*\)", re.DOTALL)
# What an operating system says in the same cases.
RESET, NO_NAME = "Connection reset by peer", "No address associated with hostname"


def upgrade() -> None:
    _rename_indexes(old=0, new=1)
    for old, new in RENAMED.items():
        op.execute(f"ALTER TABLE delivery RENAME COLUMN {old} TO {new}")
    op.add_column("delivery", sa.Column("failure", sa.String(32), nullable=True))
    op.add_column("delivery", sa.Column("host", sa.String(255), nullable=True))
    op.add_column("delivery", sa.Column("status_code", sa.Integer(), nullable=True))
    op.add_column("delivery", sa.Column("attempted_at", DateTimeUTC(timezone=True), nullable=True))
    op.execute("UPDATE delivery SET attempted_at = settled_at WHERE state IN ('sent', 'failed')")
    _rewrite(lambda row: as_data(row.channel, row.state, row.reason, row.detail))
    op.add_column("push_subscription", sa.Column("refused_status", sa.Integer(), nullable=True))
    _keep_refused_status()
    op.drop_column("push_subscription", "error")
    _rename_removed("letters", "transactional")


def downgrade() -> None:
    _rename_removed("transactional", "letters")
    op.add_column("push_subscription", sa.Column("error", sa.String(), nullable=True))
    op.execute(
        "UPDATE push_subscription SET error = refused_status || ' from its push service'"
        " WHERE refused_status IS NOT NULL"
    )
    op.drop_column("push_subscription", "refused_status")
    _rewrite(lambda row: {"reason": _old_reason(row), "detail": as_sentence(row)})
    for column in ("failure", "host", "status_code", "attempted_at"):
        op.drop_column("delivery", column)
    for old, new in RENAMED.items():
        op.execute(f"ALTER TABLE delivery RENAME COLUMN {new} TO {old}")
    _rename_indexes(old=1, new=0)


def _rename_indexes(*, old: int, new: int) -> None:
    for index in INDEXES:
        op.drop_index(f"ix_delivery_{index[old]}", "delivery")
        where = sa.text(index[3])
        name = f"ix_delivery_{index[new]}"
        op.create_index(name, "delivery", index[2], sqlite_where=where, postgresql_where=where)


def as_data(channel: str, state: str, reason: str | None, error: str) -> dict[str, Any]:
    """The columns for what the old version wrote into `error`."""
    if error == INTERRUPTED:
        return NOTHING | {"reason": "interrupted"}
    if channel == "email":
        return NOTHING | {"reason": reason} | _smtp(state, error)
    if error.startswith(EXPIRED):
        before = error.removeprefix(EXPIRED).removeprefix(BEFORE)
        return NOTHING | (_push(state, before) if before else {}) | {"reason": "expired"}
    return NOTHING | {"reason": reason} | _push(state, error)


def _smtp(state: str, error: str) -> dict[str, Any]:
    if reply := SMTP_REPLY.fullmatch(error):
        code = int(reply[1])
        failure = "refused" if code >= 500 else "unavailable"
        return {"failure": failure, "status_code": code, "detail": reply[2]}
    if state == "failed":
        is_ours = EXCEPTION.fullmatch(error)
        return {"failure": "unwritable" if is_ours else "invalid_address", "detail": error}
    return {"failure": "unreachable", "detail": error}


def _push(state: str, error: str) -> dict[str, Any]:
    if error in REFUSALS:
        return {"failure": REFUSALS[error]}
    if reply := PUSH_REPLY.fullmatch(error):
        return _push_reply(int(reply[1]), reply[2])
    if EXCEPTION.fullmatch(error):
        return {"failure": "unwritable" if state == "failed" else "unexpected", "detail": error}
    if unanswered := NO_PUSH_REPLY.fullmatch(error):
        return {"host": unanswered[1]} | _silence(unanswered[2])
    return {"failure": "unexpected", "detail": error}


def _push_reply(status: int, host: str) -> dict[str, Any]:
    failure = "refused"
    if status in (404, 410):
        failure = "unsubscribed"
    elif status in (408, 425, 429) or status >= 500:
        failure = "unavailable"
    return {"failure": failure, "host": host, "status_code": status}


def _silence(told: str) -> dict[str, Any]:
    if silence := SILENCE.fullmatch(told):
        return {"failure": "timeout", "detail": silence[1]}
    if told == NOT_HTTP:
        return {"failure": "not_http"}
    detail = {HUNG_UP: RESET, NO_ADDRESS: NO_NAME}.get(told, told)
    return {"failure": "unreachable", "detail": detail}


def as_sentence(row: Any) -> str | None:
    """What the old version would have written into `error`; it had nothing on skipped rows."""
    if row.reason == "interrupted":
        return INTERRUPTED
    error = _smtp_sentence(row) if row.channel == "email" else _push_sentence(row)
    if row.reason == "expired":
        return EXPIRED + (BEFORE + error if error else "")
    return error


def _smtp_sentence(row: Any) -> str | None:
    if row.failure and row.status_code is not None:
        return f"{row.status_code} {row.detail or ''}".strip()
    return row.detail or row.failure


def _push_sentence(row: Any) -> str | None:
    if row.failure is None:
        return None
    if row.status_code is not None:
        gone = ": the device has unsubscribed." if row.failure == "unsubscribed" else ""
        return f"{row.status_code} from {row.host}{gone}"
    for sentence, code in REFUSALS.items():
        if row.failure == code:
            return sentence
    return f"{row.host}: {_told(row)}" if row.host else row.detail or row.failure


def _told(row: Any) -> str:
    if row.failure == "timeout":
        return f"No answer within {row.detail} seconds."
    if row.failure == "not_http":
        return NOT_HTTP
    return {RESET: HUNG_UP, NO_NAME: NO_ADDRESS}.get(row.detail, row.detail or row.failure)


OLD_REASONS = [
    "withdrawn",
    "deleted",
    "read",
    "unwanted",
    "muted",
    "unconfirmed",
    "gone",
    "answered",
    "confirmed",
    "visible",
    "removed",
    "outage",
]


def _old_reason(row: Any) -> str | None:
    return row.reason if row.reason in OLD_REASONS else None


def _rewrite(change: Callable[[Any], dict[str, Any]]) -> None:
    """Change each delivery with a failure or a reason, some at a time, by their ids."""
    for rows in _in_batches():
        values = [{"of": row.id, **change(row)} for row in rows]
        columns = [name for name in values[0] if name != "of"]
        update = (
            DELIVERY.update()
            .where(DELIVERY.c.id == sa.bindparam("of"))
            .values({name: sa.bindparam(name) for name in columns})
        )
        op.get_bind().execute(update, values)


def _in_batches() -> Iterator[list[Any]]:
    last = 0
    while True:
        rows = list(
            op.get_bind().execute(
                sa.select(DELIVERY)
                .where(DELIVERY.c.id > last, _is_to_change())
                .order_by(DELIVERY.c.id)
                .limit(BATCH)
            )
        )
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _is_to_change() -> Any:
    """Upgrading, `detail` still holds the sentences and no row has a failure."""
    new_reasons = DELIVERY.c.reason.not_in(OLD_REASONS)
    return sa.or_(DELIVERY.c.detail.is_not(None), DELIVERY.c.failure.is_not(None), new_reasons)


def _keep_refused_status() -> None:
    connection = op.get_bind()
    errors = sa.select(SUBSCRIPTION.c.id, SUBSCRIPTION.c.error).where(
        SUBSCRIPTION.c.error.is_not(None)
    )
    for id, error in connection.execute(errors).all():
        if reply := PUSH_REPLY.fullmatch(error):
            one = SUBSCRIPTION.update().where(SUBSCRIPTION.c.id == id)
            connection.execute(one.values(refused_status=int(reply[1])))


def _rename_removed(old: str, new: str) -> None:
    """The key under which a night's clean-up counted transactional messages."""
    connection = op.get_bind()
    for id, removed in connection.execute(sa.select(CLEAN_UP)).all():
        renamed = {new if key == old else key: count for key, count in removed.items()}
        one = CLEAN_UP.update().where(CLEAN_UP.c.id == id)
        connection.execute(one.values(removed=renamed))
