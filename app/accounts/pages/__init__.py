"""Every address of this area."""

from typing import Any

from app.accounts.pages import account, entry, leaving, links, mailbox, patterns, sessions, tokens

routes: list[Any] = [
    *entry.routes,
    *links.routes,
    *account.routes,
    *sessions.routes,
    *tokens.routes,
    *leaving.routes,
    *mailbox.routes,
    *patterns.routes,
]
