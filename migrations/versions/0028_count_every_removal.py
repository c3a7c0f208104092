"""count every removal of what inboxes are counted from, whoever removes it

Triggers count, so that no removal can be forgotten, also by an older worker that removes without
counting while newer web processes run beside it.

SQLite counts rows, PostgreSQL statements, so the number may outgrow an INTEGER before a move to
PostgreSQL. On SQLite a later migration that creates one of these tables again must create its trigger
again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TABLES = "notification", "change", "superseded"
COUNT = (
    "INSERT INTO removal_count (id, count) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET count = removal_count.count + 1;"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in TABLES:
            op.execute(
                f"CREATE TRIGGER count_removed_{table} AFTER DELETE ON {table} BEGIN {COUNT} END"
            )
        return
    op.alter_column("removal_count", "count", type_=sa.BigInteger())
    # Deleting an event deletes by foreign keys, in a statement for each table, which often finds nothing.
    op.execute(
        "CREATE FUNCTION count_removal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF EXISTS (SELECT FROM removed) THEN {COUNT} END IF; RETURN NULL; END $$"
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER count_removed_{table} AFTER DELETE ON {table}"
            " REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removal()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in TABLES:
            op.execute(f"DROP TRIGGER count_removed_{table}")
        return
    for table in TABLES:
        op.execute(f"DROP TRIGGER count_removed_{table} ON {table}")
    op.execute("DROP FUNCTION count_removal()")
    op.alter_column("removal_count", "count", type_=sa.Integer())
