"""find notifications by their words

The events that are there are indexed after the migration, in batches that can be interrupted: see
app/notifications/search/index.py. A trigger removes the documents of an event on SQLite, since a
full-text table has no foreign keys; a later migration that creates `event` again must create it
again.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ON_SQLITE = (
    "CREATE VIRTUAL TABLE search_document USING fts5"
    "(words, actor, team, project, readers, tokenize = 'ascii', prefix = '1 2 3')",
    "CREATE TRIGGER remove_search_document AFTER DELETE ON event BEGIN"
    " DELETE FROM search_document WHERE rowid IN (2 * old.id, 2 * old.id + 1); END",
)
# Without a list of pending entries: each search would read it.
ON_POSTGRESQL = (
    "CREATE TABLE search_document ("
    " event_id bigint NOT NULL REFERENCES event ON DELETE CASCADE,"
    " to_affected boolean NOT NULL,"
    " words tsvector NOT NULL,"
    " PRIMARY KEY (event_id, to_affected))",
    "CREATE INDEX ix_search_document_words ON search_document"
    " USING gin (words) WITH (fastupdate = off)",
)


def upgrade() -> None:
    for statement in ON_SQLITE if _is_sqlite() else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if _is_sqlite():
        op.execute("DROP TRIGGER remove_search_document")
    op.execute("DROP TABLE search_document")


def _is_sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")
