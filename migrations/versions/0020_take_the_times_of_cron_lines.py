"""take the times of cron lines, so that each runs once, whatever the clocks of the hosts say"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cron_tick",
        sa.Column("line", sa.String(64), nullable=False),
        sa.Column("tick", DateTimeUTC(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_cron_tick")),
    )


def downgrade() -> None:
    op.drop_table("cron_tick")
