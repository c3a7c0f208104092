"""bound what people store: room for uploads under way, the newest videos, turns at compiling"""

import sqlalchemy as sa
from advanced_alchemy.types import BigIntIdentity, DateTimeUTC
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("compiled_at", DateTimeUTC(timezone=True), nullable=True))
    # Videos made before nobody was told of the rule are kept.
    is_rotated = sa.Column("is_rotated", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("compilation", is_rotated)
    removed_at = sa.Column("video_removed_at", DateTimeUTC(timezone=True), nullable=True)
    op.add_column("compilation", removed_at)
    op.create_table(
        "upload_reservation",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("user_id", BigIntIdentity, nullable=False),
        sa.Column("size", BigIntIdentity, nullable=False),
        sa.Column("expires_at", DateTimeUTC(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_upload_reservation_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_upload_reservation")),
    )
    op.create_index(op.f("ix_upload_reservation_user_id"), "upload_reservation", ["user_id"])


def downgrade() -> None:
    op.drop_table("upload_reservation")
    op.drop_column("compilation", "video_removed_at")
    op.drop_column("compilation", "is_rotated")
    op.drop_column("user", "compiled_at")
