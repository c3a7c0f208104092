"""count changes of accounts, so that what processes remember of them is used no longer

Triggers count, so that no change can be forgotten: by a verb, by hand, or by an older version of the
application that runs at the same time. Left out are the columns that change often and that no page
shows of its own user.

On SQLite a later migration that creates one of these tables again must create its triggers again.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COUNTED = (
    "username, username_key, username_skeleton, email, email_key, email_confirmed_at, email_gone_at,"
    " link_nonce, has_old_links, pending_email, pending_email_nonce, pending_email_until,"
    " password_hash, is_admin, timezone, language, theme, digest_is_on, digest_frequency,"
    " digest_hour, pushes_always, added_directly_by, suspended_at"
)
EVENTS = {
    "count_changed_user": f'UPDATE OF {COUNTED} ON "user"',
    "count_deleted_user": 'DELETE ON "user"',
    "count_deleted_web_session": "DELETE ON web_session",
    "count_deleted_token": "DELETE ON token",
}
COUNT = (
    "INSERT INTO ending_count (id, count) VALUES (2, 1)"
    " ON CONFLICT (id) DO UPDATE SET count = ending_count.count + 1;"
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.execute(
            "CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {COUNT} RETURN NULL; END $$"
        )
    action = (
        f"BEGIN {COUNT} END" if is_sqlite else "FOR EACH STATEMENT EXECUTE FUNCTION count_change()"
    )
    for name, event in EVENTS.items():
        op.execute(f"CREATE TRIGGER {name} AFTER {event} {action}")


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, event in EVENTS.items():
        table = event.rpartition(" ON ")[2]
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP TRIGGER {name} ON {table}")
    if not is_sqlite:
        op.execute("DROP FUNCTION count_change()")
