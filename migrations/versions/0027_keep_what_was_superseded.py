"""let a newer event take the place of an older one in a notification, and keep the older one"""

import sqlalchemy as sa
from advanced_alchemy.types import BigIntIdentity
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

HAS_KEY = sa.text("collapse_key IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "superseded",
        sa.Column("id", BigIntIdentity, sa.Identity(), nullable=False),
        sa.Column("notification_id", BigIntIdentity, nullable=False),
        sa.Column("event_id", BigIntIdentity, nullable=False),
        sa.Column("group_key", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["notification_id"], ["notification.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("notification_id", "event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_superseded_event_id", "superseded", ["event_id"])
    op.add_column("notification", sa.Column("collapse_key", sa.String(150), nullable=True))
    op.create_index(
        "ix_notification_collapse_key",
        "notification",
        ["collapse_key", "user_id"],
        sqlite_where=HAS_KEY,
        postgresql_where=HAS_KEY,
    )


def downgrade() -> None:
    op.drop_index("ix_notification_collapse_key", "notification")
    op.drop_column("notification", "collapse_key")
    op.drop_table("superseded")
