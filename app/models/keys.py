"""The keys that an installation has made for itself."""

from advanced_alchemy.base import DefaultBase
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column


class GeneratedKey(DefaultBase):
    """A key for which there is no setting, shared by all hosts of a PostgreSQL database.

    Empty on SQLite, where such keys are files in DATA_DIR (app/database/keys.py).
    """

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str]
