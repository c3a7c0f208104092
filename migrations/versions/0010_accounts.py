"""know browsers and networks, fold look-alike names, one confirmed account for each address"""

import sqlalchemy as sa
from advanced_alchemy.types import BigIntIdentity, DateTimeUTC
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_sign_in_places()


def downgrade() -> None:
    op.drop_table("sign_in_place")


def _create_sign_in_places() -> None:
    op.create_table(
        "sign_in_place",
        sa.Column("id", BigIntIdentity, sa.Identity(), nullable=False),
        sa.Column("user_id", BigIntIdentity, nullable=False),
        sa.Column("kind", sa.String(length=7), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", DateTimeUTC(timezone=True), nullable=False),
        sa.Column("last_seen_at", DateTimeUTC(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_sign_in_place_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_place")),
        sa.UniqueConstraint("user_id", "kind", "value", name=op.f("uq_sign_in_place_user_id")),
        sqlite_autoincrement=True,
    )
