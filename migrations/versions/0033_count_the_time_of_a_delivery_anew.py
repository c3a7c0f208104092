"""count the time to live of a delivery anew when it is redelivered or its snooze ends"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("queued_at", DateTimeUTC(timezone=True), nullable=True))
    # What waits for the end of a snooze now would expire before it.
    op.execute(
        "UPDATE delivery SET queued_at = due_at WHERE state = 'pending' AND reason = 'snoozed'"
    )


def downgrade() -> None:
    op.drop_column("delivery", "queued_at")
