"""keep the notifications of the types that a user wants to see one by one out of groups"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ungrouped_type",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_ungrouped_type_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "type", name=op.f("pk_ungrouped_type")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("ungrouped_type")
