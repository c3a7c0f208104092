"""Every address of this area."""

from typing import Any

from app.account_closure import pages
from app.accounts.pages import account, links, login, sessions, tokens

routes: list[Any] = [
    *login.routes,
    *links.routes,
    *account.routes,
    *sessions.routes,
    *tokens.routes,
    *pages.routes,
]
