"""The language of a page: one that is shipped, as the browser prefers."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo

from app import language
from app.accounts import profile
from app.language import current_translations, in_language, translations
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
    ("accepted", "words"),
    [
        ("de", "Konto anlegen"),
        ("fr-CH, de", "Konto anlegen"),
        ("de-AT;q=0.5, en;q=0.4", "Konto anlegen"),
        ("de;q=0.4, en", "Create account"),
        ("fr", "Create account"),
        ("dense", "Create account"),
        ("", "Create account"),
    ],
)
async def test_a_visitor_reads_the_language_that_the_browser_prefers(
    client: httpx.AsyncClient, accepted: str, words: str
) -> None:
    page = await client.get("/login", headers={"Accept-Language": accepted})

    assert words in text_of(page)


@pytest.mark.usefixtures("german")
def test_only_the_languages_that_are_shipped_have_catalogues_in_memory() -> None:
    for number in range(100):
        with in_language(f"x{number}"):
            assert current_translations() is translations("en")

    with in_language("de"):
        assert current_translations() is not translations("en")
    assert language._catalogue.cache_info().currsize == 2
