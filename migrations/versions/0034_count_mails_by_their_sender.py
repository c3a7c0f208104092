"""count the transactional mails that one user causes"""

import sqlalchemy as sa
from advanced_alchemy.types import BigIntIdentity
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mailing", sa.Column("sender_id", BigIntIdentity, nullable=True))


def downgrade() -> None:
    op.drop_column("mailing", "sender_id")
