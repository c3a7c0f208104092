"""suspend accounts, and remember when their users were last seen"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0009"
down_revision = "0006"
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


def downgrade() -> None:
    op.drop_column("user", "last_seen_at")
    op.drop_column("user", "suspended_at")
