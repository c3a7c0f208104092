"""The HTML routes of the account lifecycle."""

from typing import Any

from app.account_lifecycle.pages import addresses, closing, registration

routes: list[Any] = [*registration.routes, *addresses.routes, *closing.routes]
