"""Every address of this area."""

from typing import Any

from app.accounts.pages import account, entry, leaving, links, mailbox, sessions

routes: list[Any] = [
    *entry.routes,
    *links.routes,
    *account.routes,
    *sessions.routes,
    *leaving.routes,
    *mailbox.routes,
]
