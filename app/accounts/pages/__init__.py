"""The HTML routes of accounts."""

from typing import Any

from app.accounts.pages import account, login, password_reset, sessions, tokens

routes: list[Any] = [
    *login.routes,
    *password_reset.routes,
    *account.routes,
    *sessions.routes,
    *tokens.routes,
]
