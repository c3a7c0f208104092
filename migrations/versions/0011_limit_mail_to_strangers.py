"""count the mails to each mailbox, and remember who may add a user directly"""

import sqlalchemy as sa
from advanced_alchemy.types import BigIntIdentity, DateTimeUTC
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mailing",
        sa.Column("id", BigIntIdentity, sa.Identity(), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("mailbox", sa.String(254), nullable=False),
        sa.Column("mailed_at", DateTimeUTC(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailing")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mailing_mailbox", "mailing", ["name", "mailbox", "mailed_at"])
    op.create_index(op.f("ix_mailing_mailed_at"), "mailing", ["mailed_at"])
    op.add_column("invitation", sa.Column("mailed_at", DateTimeUTC(timezone=True), nullable=True))
    op.add_column("invitation", sa.Column("unmailed", sa.String(32), nullable=True))
    op.add_column(
        "user",
        sa.Column("added_directly_by", sa.String(9), nullable=False, server_default="anyone"),
    )


def downgrade() -> None:
    op.drop_column("user", "added_directly_by")
    op.drop_column("invitation", "unmailed")
    op.drop_column("invitation", "mailed_at")
    op.drop_table("mailing")
