"""The profile of a user: time zone, language, colours."""

from functools import cache

from babel import Locale, negotiate_locale
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import require_valid
from app.language import N_, _, shipped_languages
from app.models import User
from app.notifications.preferences.switches import set_timezone
from app.zones import zone_names

MOST_WANTED = 50
THEMES = {"": N_("System default"), "light": N_("Light"), "dark": N_("Dark")}


async def save_profile(
    session: AsyncSession, user: User, *, timezone: str, language: str, theme: str
) -> None:
    """Raises Invalid for `timezone`, `language`, `theme`."""
    error = _("Choose an option from the list.")
    require_valid(
        timezone="" if timezone in zone_names() or timezone == user.timezone else error,
        language="" if language in languages() else error,
        theme="" if theme in THEMES else error,
    )
    user = await session.get_one(User, user.id)
    user.language, user.theme = language, theme
    if timezone != user.timezone:
        await set_timezone(session, user, timezone)


def fill_from_browser(user: User, timezone: str, accept_language: str) -> None:
    """Take from the browser what the user has not chosen: time zone, language."""
    if not user.timezone and timezone in zone_names():
        user.timezone = timezone
    if not user.language:
        user.language = preferred_language(accept_language)


def preferred_language(accept_language: str) -> str:
    """The best available language for an Accept-Language header (RFC 9110, 12.5.4), or "".

    Of a header that no browser sends, only the first MOST_WANTED languages count.
    """
    parts = accept_language.split(",", MOST_WANTED)[:MOST_WANTED]
    wanted = sorted(map(_with_weight, parts), key=lambda entry: -entry[0])
    tags = [tag for weight, tag in wanted if weight > 0 and tag]
    # What Babel returns is spelled as the client spells it.
    found = negotiate_locale(tags, list(languages()), sep="-") or ""
    return next((tag for tag in languages() if tag.lower() == found.lower()), "")


def _with_weight(part: str) -> tuple[float, str]:
    tag, _semicolon, weight = part.partition(";")
    try:
        return float(weight.strip().removeprefix("q=") or 1), tag.strip()
    except ValueError:
        return 0, tag.strip()


@cache
def languages() -> dict[str, str]:
    """Tag and native name of each language that has a catalogue."""
    return {
        tag: str(Locale.parse(tag, sep="-").get_display_name()).capitalize()
        for tag in shipped_languages()
    }
