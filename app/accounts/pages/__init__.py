"""Every address of this area."""

from typing import Any

from app.account_closure import pages
from app.accounts.pages import account, links, login, sessions, tokens
from app.operations import dev_mail, dev_patterns

routes: list[Any] = [
    *login.routes,
    *links.routes,
    *account.routes,
    *sessions.routes,
    *tokens.routes,
    *pages.routes,
    *dev_mail.routes,
    *dev_patterns.routes,
]
