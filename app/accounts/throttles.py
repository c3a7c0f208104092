"""The rate limits of the account pages and of POST /api/tokens. Each raises TooMany."""

from app.accounts.sign_in_places import device_token, find_browser
from app.accounts.validation import loggable
from app.database import Database
from app.http import AnyRequest
from app.models import User
from app.settings import Settings
from app.throttle import throttle
from app.values.email_addresses import address_key
from app.web.networks import network_of


async def throttle_login(request: AnyRequest, db: Database, settings: Settings, login: str) -> None:
    """Slow down password guessing, from one network and against one account.

    Browsers in which the account's user has signed in before have their own counters, so that the
    wrong guesses of others never lock the user out.
    """
    user = loggable(login)
    if known := await find_browser(db, login, device_token(request, settings)):
        await throttle(db, settings, f"login-known:{known}", limit=10, seconds=600, user=user)
        return
    await throttle(
        db, settings, f"login-from:{_network(request)}", limit=100, seconds=600, user=user
    )
    await throttle(db, settings, f"login:{address_key(login)}", limit=10, seconds=600, user=user)


async def throttle_password_check(
    request: AnyRequest, db: Database, settings: Settings, user: User
) -> None:
    """Slow down password guessing by someone who is signed in already, from one network and against
    one account: a stolen session can be used from many networks.
    """
    name = user.username
    await throttle(
        db, settings, f"password-from:{_network(request)}", limit=20, seconds=600, user=name
    )
    await throttle(db, settings, f"password:{user.id}", limit=20, seconds=600, user=name)


async def throttle_registration(request: AnyRequest, db: Database, settings: Settings) -> None:
    await throttle(db, settings, f"register-from:{_network(request)}", limit=20, seconds=3600)


async def throttle_reset(request: AnyRequest, db: Database, settings: Settings) -> None:
    """Limit the mails that one network can cause; app/mail/limits.py has those to one address."""
    await throttle(db, settings, f"forgot-from:{_network(request)}", limit=20, seconds=3600)


async def throttle_confirmation(db: Database, settings: Settings, user: User) -> None:
    """Limit the confirmation mails that one user can cause."""
    await throttle(db, settings, f"address:{user.id}", limit=10, seconds=3600)


def _network(request: AnyRequest) -> str:
    return network_of(request.client.host) if request.client else ""
