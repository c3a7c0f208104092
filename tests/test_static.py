"""What the browser gets: vendored copies are what they say, and pages keep to the content policy."""

import re
from collections.abc import Iterator
from hashlib import sha256

from app.settings import ROOT

STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"


def test_vendored_scripts_are_the_ones_written_down() -> None:
    written_down = dict(
        re.findall(r"`([\w.-]+\.js)`.*`(\w{64})`", (STATIC / "vendor/README.md").read_text())
    )

    found = {
        file.name: sha256(file.read_bytes()).hexdigest() for file in STATIC.glob("vendor/*.js")
    }

    assert found == written_down


def test_every_icon_a_page_names_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="(bi-[\w-]+)"', (STATIC / "icons.svg").read_text()))

    named = {icon for _, page in _pages() for icon in re.findall(r"\bbi-[a-z\d-]+", page)}

    assert named
    assert named <= drawn


def test_pages_hold_nothing_the_content_policy_forbids() -> None:
    forbidden = re.compile(
        r"\bstyle=|\bhx-on\b|\bon[a-z]+=|<style|<script(?![^>]*\bsrc=)|\|\s*safe\b|hx-trigger=\"[^\"]*\["
    )

    offences = [(name, match[0]) for name, page in _pages() for match in forbidden.finditer(page)]

    assert offences == []


def test_every_unsafe_form_of_a_page_carries_the_token() -> None:
    forms = [
        (name, form)
        for name, page in _pages()
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", page, re.S)
    ]

    assert forms
    assert [name for name, form in forms if "csrf()" not in form] == []


def test_our_scripts_stay_small() -> None:
    lengths = {file.name: len(file.read_text().splitlines()) for file in STATIC.glob("*.js")}

    assert {name for name, lines in lengths.items() if lines >= 150} == set()


def _pages() -> Iterator[tuple[str, str]]:
    for file in sorted(TEMPLATES.rglob("*.html")):
        if "email" not in file.parts:
            yield str(file.relative_to(TEMPLATES)), file.read_text()
