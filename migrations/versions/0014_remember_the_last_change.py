"""remember the last change of each notification, so that any act can be undone"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_notification_deleted_in", "notification")
    op.execute("ALTER TABLE notification RENAME COLUMN deleted_in TO changed_in")
    _create_index("changed_in")


def downgrade() -> None:
    """What was only read or marked as unread must not look withdrawn or deleted."""
    op.drop_index("ix_notification_changed_in", "notification")
    op.execute("UPDATE notification SET changed_in = NULL WHERE deleted_at IS NULL")
    op.execute("ALTER TABLE notification RENAME COLUMN changed_in TO deleted_in")
    _create_index("deleted_in")


def _create_index(column: str) -> None:
    is_set = sa.text(f"{column} IS NOT NULL")
    op.create_index(
        f"ix_notification_{column}",
        "notification",
        [column],
        sqlite_where=is_set,
        postgresql_where=is_set,
    )
