"""know browsers and networks, fold look-alike names, one confirmed account for each address"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from advanced_alchemy.types import BigIntIdentity, DateTimeUTC
from alembic import op
from alembic.operations import BatchOperations

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


CONFIRMED = sa.text("email_confirmed_at IS NOT NULL")


def upgrade() -> None:
    _create_sign_in_places()
    _fold_names()
    with _user_rebuilt() as batch:
        batch.drop_constraint("uq_user_email_key", type_="unique")
        batch.alter_column("username_skeleton", nullable=False)
    op.create_index("ix_user_username_skeleton", "user", ["username_skeleton"])
    op.create_index("ix_user_email_key", "user", ["email_key"])
    op.create_index(
        "uq_user_confirmed_email",
        "user",
        ["email_key"],
        unique=True,
        sqlite_where=CONFIRMED,
        postgresql_where=CONFIRMED,
    )


def downgrade() -> None:
    for index in ("uq_user_confirmed_email", "ix_user_email_key", "ix_user_username_skeleton"):
        op.drop_index(index, "user")
    _part_shared_addresses()
    with _user_rebuilt() as batch:
        batch.create_unique_constraint("uq_user_email_key", ["email_key"])
        batch.drop_column("username_skeleton")
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


def _fold_names() -> None:
    """As app/values/usernames.py does. Who has a name that looks like another keeps it."""
    op.add_column("user", sa.Column("username_skeleton", sa.String(32), nullable=True))
    folded = "replace(replace(replace(username_key, 'i', 'l'), '1', 'l'), '0', 'o')"
    op.execute(f'UPDATE "user" SET username_skeleton = {folded}')


def _part_shared_addresses() -> None:
    """The former schema has each address once: only the account that confirmed it can log in by it,
    else the oldest.
    """
    op.execute(
        """
        UPDATE "user" SET email_key = substr(email_key, 1, 230) || '#' || id
        WHERE email_confirmed_at IS NULL AND EXISTS (
            SELECT 1 FROM "user" AS other
            WHERE other.email_key = "user".email_key AND other.id <> "user".id
            AND (other.email_confirmed_at IS NOT NULL OR other.id < "user".id)
        )
        """
    )


@contextmanager
def _user_rebuilt() -> Iterator[BatchOperations]:
    """SQLite drops a constraint only with its table. The new one goes on counting ids."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    last = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'user'")
    last_id = connection.scalar(last) if is_sqlite else None
    with op.batch_alter_table("user", table_kwargs={"sqlite_autoincrement": True}) as batch:
        yield batch
    if last_id is not None:
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'user'"))
        again = sa.text("INSERT INTO sqlite_sequence VALUES ('user', :last_id)")
        connection.execute(again, {"last_id": last_id})
