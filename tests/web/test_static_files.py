"""Static files and how they are served, and that pages keep to the content policy."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from app.settings import ROOT
from app.web.static_files import asset, read_tree, without_comments

STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"
TYPES = {
    "app.css": "text/css; charset=utf-8",
    "sw.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
    "icons/192.png": "image/png",
    "sounds/urgent.wav": "audio/wav",
    "vendor/LICENSE-htmx.txt": "text/plain; charset=utf-8",
}


@pytest.mark.parametrize("path", TYPES)
async def test_a_file_comes_with_its_type_and_is_kept_for_good(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(asset(path))

    assert answer.content == without_comments(STATIC / path)
    assert answer.headers["Content-Type"] == TYPES[path]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers


async def test_a_file_says_how_long_it_is_without_being_sent(client: httpx.AsyncClient) -> None:
    answer = await client.head(asset("app.css"), headers={"Accept-Encoding": "identity"})

    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(without_comments(STATIC / "app.css")))
    assert answer.content == b""


@pytest.mark.parametrize("tag", ["{tag}", "W/{tag}", '"another", {tag}', "*"])
async def test_a_file_that_the_browser_has_is_not_sent_again(
    client: httpx.AsyncClient, tag: str
) -> None:
    first = await client.get("/sw.js")

    again = await client.get(
        "/sw.js", headers={"If-None-Match": tag.format(tag=first.headers["ETag"])}
    )

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_file_that_has_changed_is_sent(client: httpx.AsyncClient) -> None:
    answer = await client.get("/sw.js", headers={"If-None-Match": '"an older one"'})

    assert answer.content == without_comments(STATIC / "sw.js")
    assert answer.headers["Cache-Control"] == "public, no-cache"


async def test_an_address_of_another_version_leads_to_the_present_file_which_is_not_kept(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/static/0123456789ab/icons/192.png")

    assert answer.content == (STATIC / "icons/192.png").read_bytes()
    assert answer.headers["Cache-Control"] == "public, no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "nothing.css",
        "icons",
        "vendor/README.md",
        "%2e%2e/README.md",
        "..%2fREADME.md",
        "%00",
        "/etc/passwd",
    ],
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(asset("app.css").replace("app.css", path))

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "sent"),
    [
        (
            "a.js",
            "// Why.\nrun(1); // Not this one.\n  // Nor why.\n  run(2);\n",
            "run(1); // Not this one.\n  run(2);\n",
        ),
        (
            "a.css",
            "/* One\n   two. */\na { b: c; } /* three */\n\n  /* four */\n",
            "a { b: c; } /* three */\n\n",
        ),
        ("vendor/a.js", "// Its licence.\nrun();\n", "// Its licence.\nrun();\n"),
        ("a.txt", "// A text.\n", "// A text.\n"),
    ],
)
def test_our_scripts_and_styles_come_without_the_lines_of_their_comments(
    tmp_path: Path, name: str, content: str, sent: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)

    [file] = read_tree(tmp_path).files.values()

    assert file.content.decode() == sent


def test_no_text_in_a_script_looks_like_a_comment() -> None:
    """A literal that spans lines could contain one."""
    scripts = {file.name: file.read_text() for file in STATIC.glob("*.js")}
    odd = [
        (name, line)
        for name, script in scripts.items()
        for line in script.splitlines()
        if line.count("`") % 2
    ]

    assert odd == []


def test_all_addresses_change_with_any_file(tmp_path: Path) -> None:
    digests = []
    for name, content in [("a.js", "one"), ("b/c.js", "one"), ("a.js", "two"), ("notes.md", "no")]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        digests.append(read_tree(tmp_path).digest)

    assert len(set(digests)) == 3
    assert digests[2] == digests[3], "what is not served changes nothing"


def test_there_is_no_address_of_a_file_that_is_not_there() -> None:
    with pytest.raises(LookupError):
        asset("nothing.css")


def test_every_imported_module_exists() -> None:
    imports = [
        (file.name, file.parent / path)
        for file in STATIC.glob("*.js")
        for path in re.findall(r"^import .*?\"(\./[^\"]+)\"", file.read_text(), re.M | re.S)
    ]

    assert imports
    assert [(name, path.name) for name, path in imports if not path.is_file()] == []


def test_our_scripts_are_modules() -> None:
    tags = [
        (name, tag)
        for name, page in _pages()
        for tag in re.findall(r"<script[^>]*asset\('\w+\.js'\)[^>]*>", page)
    ]

    assert tags
    assert [(name, tag) for name, tag in tags if 'type="module"' not in tag] == []


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


def test_no_page_has_a_bracket_that_belongs_to_no_tag() -> None:
    """A browser shows it. What Jinja computes, comments and tags are no text."""
    jinja, tag = re.compile(r"{[%{#].*?[%}#]}", re.S), re.compile(r"<[a-zA-Z/!][^<>]*>")

    texts = [(name, tag.sub("", jinja.sub("", page))) for name, page in _pages()]

    assert [name for name, text in texts if re.search("[<>]", text)] == []


def test_every_unsafe_form_of_a_page_carries_the_token() -> None:
    """But for the form that another user of the browser has typed: it keeps the token it came with."""
    forms = [
        (name, form)
        for name, page in _pages()
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", page, re.S)
    ]

    assert forms
    assert [name for name, form in forms if "csrf(" not in form] == ["errors/other_user.html"]


def test_our_scripts_stay_small() -> None:
    lengths = {file.name: len(file.read_text().splitlines()) for file in STATIC.glob("*.js")}

    assert {name for name, lines in lengths.items() if lines >= 150} == set()


def _pages() -> Iterator[tuple[str, str]]:
    for file in sorted(TEMPLATES.rglob("*.html")):
        if "email" not in file.parts:
            yield str(file.relative_to(TEMPLATES)), file.read_text()
