"""remember what the clock said, to notice when it jumps"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clock_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seen_at", DateTimeUTC(timezone=True), nullable=False),
        sa.Column("uptime", sa.Double(), nullable=False),
        sa.Column("boot_id", sa.String(36), nullable=False),
        sa.Column("seconds_ahead", sa.Double(), nullable=False),
        sa.Column("believed_at", DateTimeUTC(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_reading")),
    )


def downgrade() -> None:
    op.drop_table("clock_reading")
