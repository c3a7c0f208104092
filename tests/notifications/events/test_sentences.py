"""What a notice says, in the reader's language."""

from gettext import NullTranslations

import pytest

from app import language
from app.language import in_language
from app.notifications.events.catalogue import MEMBER_LEFT
from app.notifications.events.sentences import SOMEONE, sentence


class Shouting(NullTranslations):
    """A language in which every word of ours is written in capitals."""

    def gettext(self, message: str) -> str:
        return message.upper().replace("{USERNAME}", "{username}")


@pytest.fixture
def shouting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "translations", lambda _language: Shouting())


@pytest.mark.parametrize(
    ("username", "said"), [("bob", "bob LEFT THE TEAM"), (SOMEONE, "SOMEONE LEFT THE TEAM")]
)
def test_a_deleted_user_is_someone_in_every_language_and_a_user_of_that_name_keeps_it(
    shouting: None, username: str, said: str
) -> None:
    with in_language("xx"):
        assert sentence(MEMBER_LEFT.name, {"username": username}, to_affected=False) == said
