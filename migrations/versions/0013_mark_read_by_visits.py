"""remember which page opens a notification"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ABOUT_TEAMS = (
    "invitation_declined",
    "member_added",
    "member_removed",
    "member_left",
    "member_role_changed",
    "team_created",
    "team_updated",
)
ABOUT_PROJECTS = ("project_shared", "compilation_completed", "compilation_failed")
ABOUT_ACCOUNTS = (
    "account_password_changed",
    "account_address_change_requested",
    "account_token_created",
    "account_signed_in_elsewhere",
)
UNOPENED = sa.text("read_at IS NULL AND deleted_at IS NULL AND target IS NOT NULL")


def upgrade() -> None:
    op.add_column("notification", sa.Column("target", sa.String(64), nullable=True))
    _fill_in("'/teams/' || event.team_id", ABOUT_TEAMS)
    _fill_in("'/projects/' || event.project_id", ABOUT_PROJECTS)
    _fill_in("'/invitations/' || event.invitation_id", ("invitation_received",))
    _fill_in("'/account'", ABOUT_ACCOUNTS)
    _leave_out_the_removed()
    op.create_index(
        "ix_notification_unopened",
        "notification",
        ["user_id", "target"],
        sqlite_where=UNOPENED,
        postgresql_where=UNOPENED,
    )


def downgrade() -> None:
    op.drop_index("ix_notification_unopened", "notification")
    op.drop_column("notification", "target")


def _fill_in(target: str, types: tuple[str, ...]) -> None:
    """As the catalogue has it. NULL where the team, project or invitation is gone."""
    names = ", ".join(f"'{name}'" for name in types)
    op.execute(
        f"UPDATE notification SET target = "
        f"(SELECT {target} FROM event WHERE event.id = notification.event_id) "
        f"WHERE type IN ({names})"
    )


def _leave_out_the_removed() -> None:
    """Who was removed from a team is not sent to its page."""
    op.execute(
        "UPDATE notification SET target = NULL WHERE type = 'member_removed' AND user_id = "
        "(SELECT affected_id FROM event WHERE event.id = notification.event_id)"
    )
