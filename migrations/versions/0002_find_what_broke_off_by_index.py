"""find what broke off by index"""

from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BROKEN_OFF = text("state = 'pending' AND claimed_by IS NOT NULL AND attempts > 1")


def upgrade() -> None:
    op.create_index(
        "ix_delivery_broken",
        "delivery",
        ["channel", "attempts"],
        sqlite_where=BROKEN_OFF,
        postgresql_where=BROKEN_OFF,
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_broken", table_name="delivery")
