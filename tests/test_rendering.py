import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from app import clock, rendering
from app.notifications.events.notices import Notice
from app.notifications.inbox.bell import Bell
from app.rendering import attributes, html, playing_time, render, time_ahead
from app.settings import ROOT
from app.values.faces import Face
from app.web.static_files import asset

# One that is sent: a password manager's username has no name.
HIDDEN_FIELD = re.compile(r'<input type="hidden"[^>]* name="')
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOTICE = Notice(7, 7, "", "", "Alice joined", None, NOON, False, False, [], "/teams/1")


def test_an_attribute_that_is_false_or_nothing_is_not_written() -> None:
    assert attributes({"disabled": False, "title": None}) == ""


def test_an_attribute_that_is_true_has_no_value_and_zero_is_one() -> None:
    assert attributes({"disabled": True, "tabindex": 0}) == ' disabled tabindex="0"'


def test_an_attribute_cannot_break_out_of_its_quotes() -> None:
    assert attributes({"title": '"><script>'}) == ' title="&#34;&gt;&lt;script&gt;"'


def test_a_button_is_disabled_only_where_that_is_meant() -> None:
    macro = '{% import "components/forms.html" as form with context %}'
    page = html().from_string(macro + '{{ form.button("Save", disabled=disabled) }}')

    assert "disabled" in page.render(disabled=True)
    assert "disabled" not in page.render(disabled=False)


def test_a_playing_time_is_written_as_players_do() -> None:
    lengths = [0.2, 59.6, 605, 3_725]

    assert [playing_time(length) for length in lengths] == ["0:00", "1:00", "10:05", "1:02:05"]


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-04T22:59:30+00:00", "23:59"),
        ("2026-11-04T23:00:00+00:00", "tomorrow, 00:00"),
        ("2026-11-05T23:00:00+00:00", "Fri 6 Nov, 00:00"),
        ("2026-11-09T07:00:00+00:00", "Mon 9 Nov, 08:00"),
    ],
)
def test_a_time_ahead_names_its_day_as_people_do(
    monkeypatch: pytest.MonkeyPatch, moment: str, shown: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 4, 9, tzinfo=UTC))
    reader = SimpleNamespace(timezone="Europe/Berlin", language="en")
    monkeypatch.setattr(rendering, "page_context", lambda: {"user": reader})

    assert time_ahead(datetime.fromisoformat(moment)).endswith(f">{shown}</time>")


def test_a_face_is_the_picture_or_else_the_initials() -> None:
    page = html().from_string("{{ ui.face(person) }}")

    assert 'src="/avatars/7/5eed"' in page.render(person=Face(7, "alice", "5eed"))
    assert ">AL</span>" in page.render(person=Face(7, "alice"))


def test_hidden_fields_are_written_in_one_place() -> None:
    """Swaps bring hidden fields as well, and no page shows all of them."""
    templates = (ROOT / "templates").rglob("*.html")

    written = {one.name for one in templates if HIDDEN_FIELD.search(one.read_text())}

    assert written == {"forms.html"}


def test_an_address_and_an_icon_that_a_template_names_are_compiled_into_it() -> None:
    compiled = html().compile(
        "{{ asset('app.css') }}{{ icon('bi-bell') }}{{ icon(name) }}", raw=True
    )

    assert asset("app.css") in compiled
    assert "#bi-bell" in compiled


def test_a_name_that_only_the_page_knows_is_looked_up_for_it() -> None:
    page = html().from_string("{{ icon(name) }}")

    assert "#bi-star" in page.render(name="bi-star")
    assert "#bi-bell" in page.render(name="bi-bell")


def test_what_a_template_shows_is_escaped_unless_it_is_safe_already() -> None:
    page = html().from_string(
        "{{ name }}{{ name | bdi }}{% set both = name ~ name %}{{ both }}{{ n }}"
    )

    assert page.render(name="<b>", n=5) == "&lt;b&gt;" * 4 + "5"


def panel(notice: Notice, timezone: str = "UTC") -> str:
    """The row of the notice, for a reader in this zone."""
    bell = Bell(unread=1, position=notice.position, notices=[notice])
    reader = SimpleNamespace(language="", timezone=timezone)
    return render("notifications/_panel_list.html", {"bell": bell, "user": reader})


def test_a_row_that_was_rendered_for_another_reader_has_the_time_in_the_zone_of_this_one() -> None:
    assert "12:00" in panel(NOTICE, "UTC")
    assert "13:00" in panel(NOTICE, "Europe/Berlin")


def test_a_row_that_was_rendered_before_shows_what_has_changed_since() -> None:
    assert "is-unread" in panel(NOTICE)
    assert "is-unread" not in panel(replace(NOTICE, is_read=True))
    assert panel(NOTICE) == panel(NOTICE)
