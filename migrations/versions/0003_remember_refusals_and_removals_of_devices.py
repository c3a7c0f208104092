"""remember refusals and removals of devices"""

import sqlalchemy as sa
from advanced_alchemy.types import BigIntIdentity, DateTimeUTC
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("push_subscription") as table:
        table.add_column(sa.Column("refused_at", DateTimeUTC(timezone=True), nullable=True))
    op.create_table(
        "removed_device",
        sa.Column("id", BigIntIdentity, sa.Identity(), nullable=False),
        sa.Column("account_id", BigIntIdentity, nullable=False),
        sa.Column("endpoint_hash", sa.String(length=64), nullable=False),
        sa.Column("removed_at", DateTimeUTC(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_removed_device_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_device")),
        sa.UniqueConstraint(
            "account_id", "endpoint_hash", name=op.f("uq_removed_device_account_id")
        ),
    )
    op.create_index("ix_removed_device_removed_at", "removed_device", ["removed_at"])


def downgrade() -> None:
    op.drop_table("removed_device")
    with op.batch_alter_table("push_subscription") as table:
        table.drop_column("refused_at")
