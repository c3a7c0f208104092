"""keep the views that users save, and how their inbox looks and acts"""

import sqlalchemy as sa
from advanced_alchemy.types import DateTimeUTC
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OLD_COLUMNS = (
    "username, username_key, username_skeleton, email, email_key, email_confirmed_at, email_gone_at,"
    " link_nonce, has_old_links, pending_email, pending_email_nonce, pending_email_until,"
    " password_hash, is_admin, timezone, language, theme, digest_is_on, digest_frequency,"
    " digest_hour, pushes_always, added_directly_by, suspended_at"
)
NEW_COLUMNS = "grouping, density, shortcuts, sound"
COUNT = (
    "INSERT INTO ending_count (id, count) VALUES (2, 1)"
    " ON CONFLICT (id) DO UPDATE SET count = ending_count.count + 1;"
)


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", ID, sa.Identity(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("query", sa.String(2000), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("created_at", DateTimeUTC(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_saved_view_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_saved_view_user_id"), "saved_view", ["user_id"])
    for column in (
        sa.Column("grouping", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("density", sa.String(11), nullable=False, server_default="comfortable"),
        sa.Column("shortcuts", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("sound", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("user", column)
    _count_changes_of(f"{OLD_COLUMNS}, {NEW_COLUMNS}")


def downgrade() -> None:
    _count_changes_of(OLD_COLUMNS)
    for column in NEW_COLUMNS.split(", "):
        op.drop_column("user", column)
    op.drop_table("saved_view")


def _count_changes_of(columns: str) -> None:
    """A process remembers the user of a session, and with the user what their pages look like."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER count_changed_user" + ("" if is_sqlite else ' ON "user"'))
    action = (
        f"BEGIN {COUNT} END" if is_sqlite else "FOR EACH STATEMENT EXECUTE FUNCTION count_change()"
    )
    op.execute(f'CREATE TRIGGER count_changed_user AFTER UPDATE OF {columns} ON "user" {action}')
