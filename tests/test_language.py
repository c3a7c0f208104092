"""The language of a page: one that is shipped, as the browser prefers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo

from app import language, rendering
from app.accounts import profile
from app.language import current_translations, in_language, translations
from app.rendering import time_tag
from tests.conftest import text_of


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalogue of one sentence."""
    catalogue = Catalog(locale="de")
    catalogue.add("Create account", "Konto anlegen")
    file = tmp_path / "de" / "LC_MESSAGES" / "clippyfront.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        write_mo(opened, catalogue)
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    forget()
    yield
    monkeypatch.undo()
    forget()


def forget() -> None:
    for cached in (language.shipped_languages, language._catalogue, profile.languages):
        cached.cache_clear()


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("accepted", "tag", "words"),
    [
        ("de", "de", "Konto anlegen"),
        ("fr-CH, de", "de", "Konto anlegen"),
        ("DE-at;q=0.5, en;q=0.4", "de", "Konto anlegen"),
        ("de;q=0.4, en", "en", "Create account"),
        ("fr", "en", "Create account"),
        ("dense", "en", "Create account"),
        ("", "en", "Create account"),
    ],
)
async def test_a_visitor_reads_the_language_that_the_browser_prefers_and_the_page_declares_it(
    client: httpx.AsyncClient, accepted: str, tag: str, words: str
) -> None:
    page = await client.get("/login", headers={"Accept-Language": accepted})

    assert words in text_of(page)
    assert f'<html lang="{tag}"' in page.text


@pytest.mark.usefixtures("german")
def test_a_date_is_in_the_language_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "page_context", dict)
    moment = datetime(2026, 3, 2, 8, tzinfo=UTC)
    with in_language("de"):
        assert "2 März 2026, 08:00" in time_tag(moment)
    assert "2 Mar 2026, 08:00" in time_tag(moment)


@pytest.mark.usefixtures("german")
def test_only_the_languages_that_are_shipped_have_catalogues_in_memory() -> None:
    for number in range(100):
        with in_language(f"x{number}"):
            assert current_translations() is translations("en")

    with in_language("de"):
        assert current_translations() is not translations("en")
    assert language._catalogue.cache_info().currsize == 2
