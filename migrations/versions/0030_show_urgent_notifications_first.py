"""show urgent notifications first to users who want that

A change of it counts as a change of the account (migration 0017), so that the pages of other
processes show it at once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

COUNTED = (
    "username, username_key, username_skeleton, email, email_key, email_confirmed_at, email_gone_at,"
    " link_nonce, has_old_links, pending_email, pending_email_nonce, pending_email_until,"
    " password_hash, is_admin, timezone, language, theme, digest_is_on, digest_frequency,"
    " digest_hour, pushes_always, added_directly_by, suspended_at, grouping, density, shortcuts,"
    " sound, avatar"
)
COUNT = (
    "INSERT INTO ending_count (id, count) VALUES (2, 1)"
    " ON CONFLICT (id) DO UPDATE SET count = ending_count.count + 1;"
)


def upgrade() -> None:
    column = sa.Column("urgent_first", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("user", column)
    _count_changes_of(f"{COUNTED}, urgent_first")


def downgrade() -> None:
    _count_changes_of(COUNTED)
    op.drop_column("user", "urgent_first")


def _count_changes_of(columns: str) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER count_changed_user" + ("" if is_sqlite else ' ON "user"'))
    action = (
        f"BEGIN {COUNT} END" if is_sqlite else "FOR EACH STATEMENT EXECUTE FUNCTION count_change()"
    )
    op.execute(f'CREATE TRIGGER count_changed_user AFTER UPDATE OF {columns} ON "user" {action}')
