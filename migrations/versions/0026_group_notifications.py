"""form groups of the notifications of one type about one subject

A process of the version before knows no groups: a trigger fills them in for what it writes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BY_TEAM = (
    *("invitation_received", "invitation_declined", "member_added", "member_removed"),
    *("member_left", "member_role_changed", "team_created", "team_updated", "team_deleted"),
)
BY_PROJECT = (
    *("project_shared", "project_unshared", "compilation_completed", "compilation_failed"),
)
SHOWN = sa.text("deleted_at IS NULL AND NOT hidden")
AT_ONCE = 50_000


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


# As app/notifications/events/grouping.py has it.
KEY = f"""
    event.type || CASE
    WHEN event.type IN ({_listed(BY_TEAM)}) AND event.team_id IS NOT NULL
    THEN ':team:' || event.team_id
    WHEN event.type IN ({_listed(BY_PROJECT)}) AND event.project_id IS NOT NULL
    THEN ':project:' || event.project_id
    WHEN event.type = 'custom' AND event.team_id IS NOT NULL
    THEN ':team:' || event.team_id || ':'
    WHEN event.type = 'custom' AND event.project_id IS NOT NULL
    THEN ':project:' || event.project_id || ':'
    ELSE ':notice:' || event.id END
"""


def upgrade() -> None:
    _fill_in()
    op.create_index(
        "ix_notification_group",
        "notification",
        ["group_key", "user_id", "place", "position"],
        sqlite_where=SHOWN,
        postgresql_where=SHOWN,
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER group_notification AFTER INSERT ON notification"
            " WHEN NEW.group_key = '' BEGIN UPDATE notification SET group_key ="
            f" coalesce((SELECT {KEY} FROM event WHERE event.id = NEW.event_id), '')"
            " WHERE id = NEW.id; END"
        )
        return
    op.execute(
        "CREATE FUNCTION group_notification() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" NEW.group_key = coalesce((SELECT {KEY} FROM event WHERE event.id = NEW.event_id), '');"
        " RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER group_notification BEFORE INSERT ON notification FOR EACH ROW"
        " WHEN (NEW.group_key = '') EXECUTE FUNCTION group_notification()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER group_notification")
    else:
        op.execute("DROP TRIGGER group_notification ON notification")
        op.execute("DROP FUNCTION group_notification()")
    op.drop_index("ix_notification_group", "notification")
    op.execute("UPDATE notification SET group_key = ''")


def _fill_in() -> None:
    connection = op.get_bind()
    last = connection.scalar(sa.text("SELECT max(id) FROM notification")) or 0
    fill = sa.text(
        f"UPDATE notification SET group_key = (SELECT {KEY} FROM event"
        " WHERE event.id = notification.event_id) WHERE id > :after AND id <= :up_to"
    )
    for after in range(0, last, AT_ONCE):
        connection.execute(fill, {"after": after, "up_to": after + AT_ONCE})
        if last > AT_ONCE:
            print(
                f"  notifications grouped {min(after + AT_ONCE, last):>12,} of {last:,}", flush=True
            )
