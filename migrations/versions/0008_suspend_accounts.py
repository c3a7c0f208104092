"""suspend accounts, remember when their users were last seen, count ended sessions"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LAST_SEEN = """
UPDATE "user" SET last_seen_at = (
    SELECT max(stamps.seen_at) FROM (
        SELECT user_id, last_seen_at AS seen_at FROM web_session
        UNION ALL SELECT user_id, last_used_at FROM token
    ) AS stamps WHERE stamps.user_id = "user".id
)
"""


def upgrade() -> None:
    for name in ("suspended_at", "last_seen_at"):
        op.add_column("user", sa.Column(name, DateTimeUTC(timezone=True), nullable=True))
    op.execute(LAST_SEEN)
    op.create_table(
        "ending_count",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ending_count")),
    )


def downgrade() -> None:
    op.drop_table("ending_count")
    op.drop_column("user", "last_seen_at")
    op.drop_column("user", "suspended_at")
