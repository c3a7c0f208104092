"""keep each notification in the inbox, done or snoozed, saved or not, at a position of its own

A process of the version before knows no positions: a trigger fills them in for what it writes.
"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

SHOWN = "deleted_at IS NULL AND NOT hidden"
INBOX = "place = 'inbox' AND " + SHOWN
NEW = {
    "ix_notification_place": (["user_id", "place", "position"], SHOWN),
    "ix_notification_unread": (["user_id", "position"], "read_at IS NULL AND " + INBOX),
    "ix_notification_saved": (["user_id", "position"], "is_saved AND " + SHOWN),
    "ix_notification_snoozed_until": (
        ["snoozed_until"],
        "place = 'snoozed' AND deleted_at IS NULL",
    ),
    "ix_notification_type": (["user_id", "type", "position"], INBOX),
}
OLD = {
    "ix_notification_shown": (["user_id", "event_id"], SHOWN),
    "ix_notification_unread": (["user_id", "event_id"], "read_at IS NULL AND " + SHOWN),
    "ix_notification_type": (["user_id", "type", "event_id"], SHOWN),
}


_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("position", _POSITION, nullable=False, server_default="0"),
        sa.Column("place", sa.String(7), nullable=False, server_default="inbox"),
        sa.Column("is_saved", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("snoozed_until", DateTimeUTC(timezone=True), nullable=True),
        sa.Column("group_key", sa.String(200), nullable=False, server_default=""),
        sa.Column("updated_at", DateTimeUTC(timezone=True), nullable=True),
        sa.Column("earlier_read_at", DateTimeUTC(timezone=True), nullable=True),
        sa.Column("earlier_place", sa.String(7), nullable=True),
        sa.Column("earlier_snoozed_until", DateTimeUTC(timezone=True), nullable=True),
        sa.Column("earlier_is_saved", sa.Boolean(), nullable=True),
    ]


def upgrade() -> None:
    for name in OLD:
        op.drop_index(name, "notification")
    for column in _columns():
        op.add_column("notification", column)
    op.add_column("change", sa.Column("up_to_position", _POSITION, nullable=True))
    op.execute("UPDATE notification SET position = event_id")
    # What was marked or deleted within the last minutes can still be undone.
    op.execute(
        "UPDATE notification SET earlier_read_at = read_at"
        " WHERE changed_in > 0 AND deleted_at IS NOT NULL"
    )
    _create(NEW)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER place_notification AFTER INSERT ON notification WHEN NEW.position = 0"
            " BEGIN UPDATE notification SET position = NEW.event_id WHERE id = NEW.id; END"
        )
        return
    op.execute(
        "CREATE FUNCTION place_notification() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.position = NEW.event_id; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER place_notification BEFORE INSERT ON notification FOR EACH ROW"
        " WHEN (NEW.position = 0) EXECUTE FUNCTION place_notification()"
    )


def downgrade() -> None:
    """What was done or snoozed is in the inbox again: the version before knows no other place."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER place_notification")
    else:
        op.execute("DROP TRIGGER place_notification ON notification")
        op.execute("DROP FUNCTION place_notification()")
    for name in NEW:
        op.drop_index(name, "notification")
    op.drop_column("change", "up_to_position")
    for column in _columns():
        op.drop_column("notification", column.name)
    _create(OLD)


def _create(indexes: dict[str, tuple[list[str], str]]) -> None:
    for name, (columns, condition) in indexes.items():
        where = sa.text(condition)
        op.create_index(name, "notification", columns, sqlite_where=where, postgresql_where=where)
