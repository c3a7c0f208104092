"""call a user a user: the table `user`, and `user_id` wherever a row belongs to one"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Table, its indexes and unique constraints that are named after the column, old and new.
OWNED = {
    "ingest_key": ({}, {"uq_ingest_key_account_id": ["key"]}),
    "membership": ({"ix_membership_account_id"}, {}),
    "push_subscription": ({"ix_push_subscription_account_id"}, {}),
    "removed_device": ({}, {"uq_removed_device_account_id": ["endpoint_hash"]}),
    "token": ({"ix_token_account_id"}, {}),
    "web_session": ({"ix_web_session_account_id"}, {}),
}
KEYS = ("email_key", "username_key")


def upgrade() -> None:
    op.rename_table("account", "user")
    _rename("account", "user", "account_id", "user_id")


def downgrade() -> None:
    op.rename_table("user", "account")
    _rename("user", "account", "user_id", "account_id")


def _rename(old: str, new: str, old_id: str, new_id: str) -> None:
    if op.get_bind().dialect.name == "postgresql":  # which names the index after it
        op.execute(f'ALTER TABLE "{new}" RENAME CONSTRAINT pk_{old} TO pk_{new}')
    with op.batch_alter_table(new) as table:
        table.drop_index(f"ix_{old}_digest_due_at")
        table.create_index(f"ix_{new}_digest_due_at", ["digest_due_at"])
        for key in KEYS:
            table.drop_constraint(f"uq_{old}_{key}", type_="unique")
            table.create_unique_constraint(f"uq_{new}_{key}", [key])
    for name, (indexes, uniques) in OWNED.items():
        for index in indexes:
            op.drop_index(index.replace("account_id", old_id), name)
        op.execute(f"ALTER TABLE {name} RENAME COLUMN {old_id} TO {new_id}")
        for index in indexes:
            op.create_index(index.replace("account_id", new_id), name, [new_id])
        for unique, others in uniques.items():
            with op.batch_alter_table(name) as table:
                table.drop_constraint(unique.replace("account_id", old_id), type_="unique")
                table.create_unique_constraint(
                    unique.replace("account_id", new_id), [new_id, *others]
                )
