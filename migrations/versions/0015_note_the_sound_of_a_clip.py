"""note that the sound of a clip cannot be used, or not its first track"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clip", sa.Column("sound_note", sa.String(length=8), nullable=True))


def downgrade() -> None:
    op.drop_column("clip", "sound_note")
