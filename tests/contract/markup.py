"""Pages as a person without scripts has them: forms to fill in, buttons to press, notices to read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

HIDDEN = re.compile(r'<span class="visually-hidden">Unread </span>')
ROW = re.compile(r'<li id="(?:panel-)?notice-(\d+)" class="([^"]*)".*?</li>', re.DOTALL)
TEXT = re.compile(r'<a [^>]*class="notice-text"[^>]*>(.*?)</a>', re.DOTALL)
ACTIONS = re.compile(r'<div class="notice-actions">(.*?)</div>', re.DOTALL)
LABEL = re.compile(r"<(?:button|a) [^>]*>(.*?)</(?:button|a)>", re.DOTALL)
BELL = re.compile(r'<button id="bell"[^>]*aria-label="([^"]*)"')
BDI = re.compile(r"</?bdi>")
ICON = re.compile(r"#(bi-[\w-]+)")


@dataclass(frozen=True)
class Shown:
    """A notice as a page shows it."""

    id: int
    text: str
    icon: str
    actions: tuple[str, ...]
    is_read: bool
    is_high: bool


def notices(markup: str) -> Iterator[Shown]:
    """Those in `markup`, as they follow one another there."""
    for row in ROW.finditer(markup):
        whole, classes = row[0], row[2].split()
        text, actions, icon = TEXT.search(whole), ACTIONS.search(whole), ICON.search(whole)
        assert text, whole
        assert icon, whole
        yield Shown(
            id=int(row[1]),
            text=words(HIDDEN.sub("", text[1])),
            icon=icon[1],
            actions=tuple(words(label) for label in LABEL.findall(actions[1])) if actions else (),
            is_read="is-unread" not in classes,
            is_high="is-high" in classes,
        )


def unread_on(page: str) -> int:
    """What the bell's accessible name says."""
    name = BELL.search(page)
    assert name, "There is no bell on this page."
    count = re.fullmatch(r"Notifications(?:, (\d+) unread)?", name[1])
    assert count, name[1]
    return int(count[1] or 0)


def words(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", BDI.sub("", markup))).split())


@dataclass
class Button:
    label: str
    form: "PageForm"
    elsewhere: str
    pair: tuple[str, str] | None
    is_disabled: bool

    @property
    def action(self) -> str:
        return self.elsewhere or self.form.action


@dataclass
class PageForm:
    method: str = "get"
    action: str = ""
    fields: dict[str, list[str]] = field(default_factory=dict)


def button_called(label: str, page: str) -> Button:
    """The first button of that accessible name that somebody could press: in the main part, or else in
    the panel above it.
    """
    buttons = [*_Buttons(page.partition("<main")[2]).buttons, *_Buttons(page).buttons]
    found = [one for one in buttons if one.label == label and not one.is_disabled]
    assert found, f"No button {label!r} among {[one.label for one in buttons]}"
    return found[0]


def forms_on(page: str) -> dict[str, set[str]]:
    """The addresses that forms of this page are posted to, with the names of their fields.

    What a button sends elsewhere has its address here, but not the fields that happen to come along.
    """
    sent: dict[str, set[str]] = {}
    for button in _Buttons(page).buttons:
        if button.form.method == "post":
            own = button.action == button.form.action
            names = {*button.form.fields, *(button.pair or ())[:1]} - {"_csrf_token", "_user"}
            address = button.action.partition("?")[0]
            sent.setdefault(address, set()).update(names if own else ())
    return sent


class _Buttons(HTMLParser):
    """Every button of a page, with the form it sends."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.buttons: list[Button] = []
        self._forms: dict[str, PageForm] = {}
        self._form: PageForm | None = None
        self._select = ""
        self._button: Button | None = None
        self.feed(BDI.sub("", page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        form = self._called(given["form"]) if "form" in given else self._form
        match tag:
            case "form":
                self._form = self._called(given["id"]) if "id" in given else PageForm()
                self._form.method, self._form.action = (
                    given.get("method", "get"),
                    given.get("action", ""),
                )
            case "input" if form and "name" in given and given.get("type") != "file":
                self._take(form, given)
            case "textarea" if form:
                form.fields[given["name"]] = [""]
            case "select" if form:
                self._select = given["name"]
                form.fields.setdefault(self._select, [])
            case "option" if form and self._select:
                if "selected" in given or not form.fields[self._select]:
                    form.fields[self._select] = [given["value"]]
            case "button" if form:
                self._begin(form, given)

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "select":
                self._select = ""
            case "button":
                self._button = None

    def handle_data(self, data: str) -> None:
        if self._button:
            self._button.label = " ".join(f"{self._button.label} {data}".split())

    def _called(self, id: str) -> PageForm:
        """Fields may precede the form that they belong to."""
        return self._forms.setdefault(id, PageForm())

    def _take(self, form: PageForm, given: dict[str, str]) -> None:
        is_off = given.get("type") == "checkbox" and "checked" not in given
        values = form.fields.setdefault(given["name"], [])
        if not is_off:
            values.append(given.get("value", ""))

    def _begin(self, form: PageForm, given: dict[str, str]) -> None:
        pair = (given["name"], given.get("value", "")) if "name" in given else None
        self._button = Button(
            given.get("aria-label", ""),
            form,
            given.get("formaction", ""),
            pair,
            "disabled" in given,
        )
        self.buttons.append(self._button)
        if self._button.label:
            self._button = None
