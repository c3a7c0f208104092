"""allow files beyond two gigabytes on PostgreSQL, whose INTEGER has 32 bits

SQLite's has 64.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _change_to(sa.BigInteger())


def downgrade() -> None:
    _change_to(sa.Integer())


def _change_to(type_: sa.types.TypeEngine[int]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("clip", "compilation"):
            op.alter_column(table, "size", type_=type_)
