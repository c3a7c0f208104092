"""The page of a search."""

from typing import Any

import httpx

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import CUSTOM, MEMBER_ADDED
from app.notifications.notify import notify
from tests.conftest import sign_in, text_of


async def test_search_terms_are_marked_in_the_rows_only(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User, video_squad: Team
) -> None:
    async with db.act() as session:
        facts: dict[str, Any] = {
            "title": "Render done",
            "body": "All <4> renders",
            "priority": "normal",
        }
        await notify(session, CUSTOM, team=video_squad, **facts)
        await notify(
            session, MEMBER_ADDED, actor=bob, affected=bob, team=video_squad, role="editor"
        )
    await sign_in(client, alice)

    found = await client.get("/notifications", params={"q": "rend"})
    everything = await client.get("/notifications")

    assert "<mark>Rend</mark>er done" in found.text
    assert "All &lt;4&gt; <mark>rend</mark>ers" in found.text
    assert "joined" not in text_of(found).partition("Select this page")[2].partition("</main>")[0]
    assert found.text.count("<mark>") == 2
    assert "<mark>" not in everything.text


async def test_a_text_that_is_too_long_is_refused_beside_the_field(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)

    refused = await client.get("/notifications", params={"q": "x" * 301})

    assert refused.status_code == 422
    assert 'aria-describedby="q-error"' in refused.text
    assert "Search for at most 300 characters." in text_of(refused)


async def test_a_view_that_was_chosen_stays_whatever_the_search_asks_for(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)

    chosen = await client.get("/notifications?view=inbox&q=is:done")
    searched = await client.get("/notifications?q=is:done")

    assert 'data-view="inbox"' in chosen.text
    assert 'name="view" value="inbox"' in chosen.text
    assert 'data-view="done"' in searched.text
