"""How a person wants to see things: time zone, language, colours."""

from functools import cache

from babel import Locale, negotiate_locale
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.validation import require_right
from app.language import LOCALE, N_, SOURCE_LANGUAGE, _
from app.models import User
from app.notifications.preferences.switches import set_timezone
from app.zones import zone_names

THEMES = {"": N_("As the system"), "light": N_("Light"), "dark": N_("Dark")}


async def save_profile(
    session: AsyncSession, account: User, *, timezone: str, language: str, theme: str
) -> None:
    wrong = _("Choose one of the list.")
    require_right(
        timezone="" if timezone in zone_names() or timezone == account.timezone else wrong,
        language="" if language in languages() else wrong,
        theme="" if theme in THEMES else wrong,
    )
    account = await session.get_one(User, account.id)
    account.language, account.theme = language, theme
    if timezone != account.timezone:
        await set_timezone(session, account, timezone)


def fill_from_browser(account: User, timezone: str, accept_language: str) -> None:
    """What the browser says, where the person has not chosen."""
    if not account.timezone and timezone in zone_names():
        account.timezone = timezone
    if not account.language:
        account.language = preferred_language(accept_language)


def preferred_language(accept_language: str) -> str:
    """The best of ours for an Accept-Language header (RFC 9110 12.5.4), or "" when none fits."""
    wanted = sorted(map(_with_weight, accept_language.split(",")), key=lambda one: -one[0])
    tags = [tag for weight, tag in wanted if weight > 0 and tag]
    return negotiate_locale(tags, list(languages()), sep="-") or ""


def _with_weight(part: str) -> tuple[float, str]:
    tag, _semicolon, weight = part.partition(";")
    try:
        return float(weight.strip().removeprefix("q=") or 1), tag.strip()
    except ValueError:
        return 0, tag.strip()


@cache
def languages() -> dict[str, str]:
    """The languages there are catalogues for, each by its own name."""
    found = {path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/clippyfront.mo")}
    tags = [SOURCE_LANGUAGE, *sorted(name.replace("_", "-") for name in found)]
    return {tag: str(Locale.parse(tag, sep="-").get_display_name()).capitalize() for tag in tags}
