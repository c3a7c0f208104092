"""The profile, the language of the browser, and readable names of browsers."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.profile import preferred_language, save_profile
from app.errors import Invalid
from app.models import User
from app.web.user_agents import device_name


async def test_the_profile_is_saved(alice: User, session: AsyncSession) -> None:
    await save_profile(session, alice, timezone="Asia/Tokyo", language="en", theme="dark")

    stored = await session.get_one(User, alice.id)
    assert (stored.timezone, stored.theme) == ("Asia/Tokyo", "dark")


async def test_every_invalid_choice_is_named(alice: User, session: AsyncSession) -> None:
    with pytest.raises(Invalid) as caught:
        await save_profile(session, alice, timezone="Mars/Base", language="tlh", theme="<b>")

    assert set(caught.value.fields) == {"timezone", "language", "theme"}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("EN", "en"),
        ("EN-us", "en"),
        ("tlh;q=1, en;q=0.5", "en"),
        ("en;q=0", ""),
        ("tlh", ""),
        ("", ""),
        (";;q=,,;q=nan", ""),
    ],
)
def test_the_best_available_language_is_found(header: str, language: str) -> None:
    assert preferred_language(header) == language


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/142.0 Safari/537 Edg/142.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_user_agent_gets_a_readable_name(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
