"""remember which mailboxes want no invitation mail"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suppression",
        sa.Column("mailbox_hash", sa.String(64), nullable=False),
        sa.Column("created_at", DateTimeUTC(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_hash", name=op.f("pk_suppression")),
    )


def downgrade() -> None:
    op.drop_table("suppression")
