"""never use an id twice, and give every link a random part of its own row"""

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Not `change` and `notification`, which never used an id twice.
TABLES = (
    "clean_up",
    "clip",
    "compilation",
    "delivery",
    "ingest_key",
    "invitation",
    "mute",
    "project",
    "push_subscription",
    "removed_device",
    "team",
    "token",
    "user",
    "web_session",
)
# Columns that name rows in text: {"invitation_id": 5}, "/projects/1/compilations/5/thumbnail",
# "Firefox on Linux #5". Users can write such text too, hence the bound.
TEXTS = (("event", "context"), ("delivery", "context"), ("delivery", "address"))
NAMED = re.compile(r'(?:_id": ?|[/#])(\d{1,12})\b')
# Beyond the greatest id that is named in the database, for the rows deleted last: their ids live on
# where we cannot look, in mailed links, bookmarks, file names, backups and jobs in the queue. No
# installation on SQLite has deleted so many in a row, and ids have room for 2**53.
MARGIN = 1_000_000
TIME_TO_CONFIRM = timedelta(days=7)

USER = sa.table(
    "user",
    *map(sa.column, ("id", "pending_email", "link_nonce", "has_old_links", "pending_email_nonce")),
    sa.column("pending_email_until", DateTimeUTC(timezone=True)),
)
INVITATION = sa.table("invitation", sa.column("id"), sa.column("link_nonce"))
DELIVERY = sa.table(
    "delivery",
    *map(sa.column, ("id", "user_id", "state", "transactional")),
    sa.column("context", sa.JSON),
)


def upgrade() -> None:
    greatest = max(_ids_named(), default=0)
    _add_columns()
    _fill_users()
    _fill_invitations()
    _fill_pending_mails()
    for table in TABLES:
        _rebuild(table)
    if greatest:
        _begin_above(greatest + MARGIN)


def downgrade() -> None:
    """Tables that do not use ids twice suit the old version as well."""
    op.drop_column("invitation", "link_nonce")
    for column in _of_user():
        op.drop_column("user", column.name)


def _ids_named() -> Iterator[int]:
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    for table in inspector.get_table_names():
        for column in inspector.get_columns(table):
            if column["name"] == "id" or column["name"].endswith("_id"):
                named = sa.func.max(sa.table(table, sa.column(column["name"])).c[column["name"]])
                yield connection.scalar(sa.select(named)) or 0
    for table, name in TEXTS:
        text = sa.cast(sa.table(table, sa.column(name)).c[name], sa.Text)
        for found in connection.execute(sa.select(text).where(text.is_not(None))).scalars():
            yield from map(int, NAMED.findall(found))
    if connection.dialect.name == "sqlite":
        # After a downgrade the tables have sequences already.
        yield connection.scalar(sa.text("SELECT max(seq) FROM sqlite_sequence")) or 0


def _of_user() -> list[sa.Column[Any]]:
    return [
        sa.Column("link_nonce", sa.String(32), nullable=True),
        sa.Column("has_old_links", sa.Boolean(), nullable=True),
        sa.Column("pending_email_nonce", sa.String(32), nullable=True),
        sa.Column("pending_email_until", DateTimeUTC(timezone=True), nullable=True),
    ]


def _add_columns() -> None:
    for column in _of_user():
        op.add_column("user", column)
    op.add_column("invitation", sa.Column("link_nonce", sa.String(32), nullable=True))


def _fill_users() -> None:
    connection = op.get_bind()
    until = datetime.now(UTC) + TIME_TO_CONFIRM
    for id, pending in connection.execute(sa.select(USER.c.id, USER.c.pending_email)).all():
        values: dict[str, Any] = {"link_nonce": _nonce(), "has_old_links": True}
        if pending:
            values |= {"pending_email_nonce": _nonce(), "pending_email_until": until}
        connection.execute(USER.update().where(USER.c.id == id).values(values))


def _fill_invitations() -> None:
    connection = op.get_bind()
    for id in connection.execute(sa.select(INVITATION.c.id)).scalars().all():
        one = INVITATION.update().where(INVITATION.c.id == id)
        connection.execute(one.values(link_nonce=_nonce()))


def _fill_pending_mails() -> None:
    """Mails that are still to be sent get links that work."""
    connection = op.get_bind()
    waiting = sa.select(DELIVERY).where(
        DELIVERY.c.state == "pending",
        DELIVERY.c.transactional.in_(("confirm_address", "invitation")),
    )
    for mail in connection.execute(waiting).all():
        context = mail.context | {"nonce": _nonce_for(mail)}
        one = DELIVERY.update().where(DELIVERY.c.id == mail.id)
        connection.execute(one.values(context=context))


def _nonce_for(mail: Any) -> str | None:
    connection = op.get_bind()
    if mail.transactional == "invitation":
        invited = INVITATION.c.id == mail.context["invitation_id"]
        return connection.scalar(sa.select(INVITATION.c.link_nonce).where(invited))
    is_pending = USER.c.pending_email == mail.context["email"]
    nonce = sa.case((is_pending, USER.c.pending_email_nonce), else_=USER.c.link_nonce)
    return connection.scalar(sa.select(nonce).where(USER.c.id == mail.user_id))


def _nonce() -> str:
    return secrets.token_urlsafe(16)


def _rebuild(table: str) -> None:
    """SQLite can add AUTOINCREMENT only to a new table. PostgreSQL changes the columns in place."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    required = {"user": ("link_nonce", "has_old_links"), "invitation": ("link_nonce",)}
    with op.batch_alter_table(
        table,
        recreate="always" if is_sqlite else "never",
        table_kwargs={"sqlite_autoincrement": True},
    ) as batch:
        for column in required.get(table, ()):
            batch.alter_column(column, nullable=False)


def _begin_above(start: int) -> None:
    connection = op.get_bind()
    for table in TABLES:
        if connection.dialect.name == "sqlite":
            values = {"name": table, "start": start}
            connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            connection.execute(
                sa.text("INSERT INTO sqlite_sequence VALUES (:name, :start)"), values
            )
        else:
            sequence = sa.func.pg_get_serial_sequence(f'"{table}"', "id")
            connection.execute(sa.select(sa.func.setval(sequence, start)))
