"""count the unread by their index

SQLite prefers the index in which it finds more of the columns that a statement compares: without
`place`, it looked for the unread among all of the inbox.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

UNREAD = sa.text("read_at IS NULL AND place = 'inbox' AND deleted_at IS NULL AND NOT hidden")


def upgrade() -> None:
    _replace(["user_id", "place", "position"])


def downgrade() -> None:
    _replace(["user_id", "position"])


def _replace(columns: list[str]) -> None:
    """PostgreSQL builds the new index first: until the old one is dropped, others can read."""
    name, table = "ix_notification_unread", "notification"
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(f"{name}_new", table, columns, postgresql_where=UNREAD)
        op.drop_index(name, table)
        op.execute(f"ALTER INDEX {name}_new RENAME TO {name}")
    else:
        op.drop_index(name, table)
        op.create_index(name, table, columns, sqlite_where=UNREAD)
