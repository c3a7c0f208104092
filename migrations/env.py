"""Alembic's entry: the models' metadata, on the connection it is handed."""

from advanced_alchemy.base import orm_registry
from alembic import context

from app import models

assert models  # its import fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=orm_registry.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
