"""make each preference a row, and let nobody mute the same thing twice"""

from collections.abc import Callable

import sqlalchemy as sa
from advanced_alchemy.types import BigIntIdentity
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHANNELS = ("in_app", "email", "push")
MUTED = {"uq_mute_team": "team_id", "uq_mute_project": "project_id"}


def upgrade() -> None:
    parts = [
        f"SELECT user_id, type, '{channel}' AS channel, {channel} AS wanted"
        f" FROM preference WHERE {channel} IS NOT NULL"
        for channel in CHANNELS
    ]
    _keep_while("preference", " UNION ALL ".join(parts), _create_rows)
    op.execute(
        "DELETE FROM mute WHERE id NOT IN"
        " (SELECT min(id) FROM mute GROUP BY user_id, team_id, project_id)"
    )
    _index_mutes(unique=True)


def downgrade() -> None:
    _index_mutes(unique=False)
    columns = [
        f"max(CASE WHEN channel = '{channel}' THEN CAST(wanted AS INTEGER) END) = 1 AS {channel}"
        for channel in CHANNELS
    ]
    chosen = f"SELECT type, user_id, {', '.join(columns)} FROM preference GROUP BY type, user_id"
    _keep_while("preference", chosen, _create_columns)


def _keep_while(table: str, query: str, create: Callable[[], None]) -> None:
    """Make the table anew by `create`, and fill it with what `query` found in the old one."""
    op.execute(f"CREATE TEMPORARY TABLE kept AS {query}")
    op.drop_table(table)
    create()
    op.execute(f"INSERT INTO {table} SELECT * FROM kept")
    op.execute("DROP TABLE kept")


def _create_rows() -> None:
    op.create_table(
        "preference",
        sa.Column("user_id", BigIntIdentity, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        _of_user("fk_preference_user_id_user"),
        sa.PrimaryKeyConstraint("user_id", "type", "channel", name=op.f("pk_preference")),
        sqlite_with_rowid=False,
    )


def _create_columns() -> None:
    op.create_table(
        "preference",
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("user_id", BigIntIdentity, nullable=False),
        *(sa.Column(channel, sa.Boolean(), nullable=True) for channel in CHANNELS),
        _of_user("fk_preference_user_id_account"),  # its name before 0004, which kept it
        sa.PrimaryKeyConstraint("type", "user_id", name=op.f("pk_preference")),
    )
    op.create_index(op.f("ix_preference_user_id"), "preference", ["user_id"])


def _of_user(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f(name), ondelete="CASCADE")


def _index_mutes(*, unique: bool) -> None:
    for name, column in MUTED.items():
        is_one = sa.text(f"{column} IS NOT NULL")
        op.drop_index(name, "mute")
        op.create_index(
            name,
            "mute",
            [column, "user_id"],
            unique=unique,
            sqlite_where=is_one,
            postgresql_where=is_one,
        )
