"""keep generated keys in the database, where several hosts share them"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "generated_key",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_generated_key")),
    )


def downgrade() -> None:
    op.drop_table("generated_key")
