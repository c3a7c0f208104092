"""Irreversible forms ask first; all others can be undone or do no harm."""

import re

import pytest
from litestar import Litestar

from tests.contract.doors import doors
from tests.contract.forms import FORMS
from tests.contract.markup import forms_on, words
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The same address, opened, asks; what each question has to say.
ASKS = {
    "/account/delete": "cannot be undone",
    "/account/tokens/{token_id:int}/revoke": "lose access at once",
    "/account/notifications/reset": "return to their defaults",
    "/admin/accounts/{user_id:int}/delete": "cannot be undone",
    "/teams/{team_id:int}/delete": "will be notified",
    "/teams/{team_id:int}/leave": "will be notified",
    "/teams/{team_id:int}/members/{user_id:int}/hand-over": "Only bob can undo this",
    "/teams/{team_id:int}/members/{user_id:int}/remove": "will be notified",
    "/teams/{team_id:int}/invitations/{invitation_id:int}/revoke": "Nobody is notified",
    "/projects/{project_id:int}/delete": "will be notified",
    "/projects/{project_id:int}/unshare": "will be notified",
    "/projects/{project_id:int}/clips/{clip_id:int}/delete": "upload it again",
    # The link in a mail opens the page that asks.
    "/confirm/{token:str}": "",
    "/account/address/cancel/{token:str}": "",
    "/reset/{token:str}": "",
}
UNDOABLE = {
    "/account/profile": "the same form changes it back",
    "/account/picture": "remove it, or upload the other one again",
    "/account/picture/remove": "upload it again",
    "/account/address": "a link in the mail to the old address cancels it",
    "/account/tokens": "the token can be revoked",
    "/account/notifications": "the same switches change it back",
    "/account/notifications/{field:str}": "the same switch changes it back",
    "/account/notifications/muted/{mute_id:int}/lift": "mute it again",
    "/account/notifications/devices/{device_id:int}/remove": "push is enabled again on the device",
    "/push/subscription": "push is enabled again",
    "/admin/accounts/{user_id:int}/suspend": "restore",
    "/admin/accounts/{user_id:int}/restore": "suspend",
    "/unsubscribe/{token:str}": "the page offers Undo",
    "/unsubscribe/{token:str}/undo": "unsubscribe again",
    "/stop-invitations/{token:str}": "the page offers Undo",
    "/stop-invitations/{token:str}/undo": "stop them again",
    "/account/notifications/invitation-mail": "the same switch changes it back",
    "/notifications/bulk": "Undo for ten minutes; without scripts, deleting asks",
    "/notifications/undo": "do it again",
    "/notifications/density": "the same button changes it back",
    "/notifications/views": "delete the view",
    "/notifications/views/{view_id:int}": "rename it back",
    "/notifications/views/{view_id:int}/delete": "save it again; no notification is lost",
    "/notifications/views/{view_id:int}/{step:str}": "move it back",
    "/notifications/{notification_id:int}/{do:str}": "Undo; without scripts, deleting asks",
    "/notifications/read-all": "Undo for ten minutes",
    "/push/{notification_id:int}/read": "mark as unread",
    "/teams": "delete the team",
    "/teams/{team_id:int}/rename": "rename it back",
    "/teams/{team_id:int}/mute": "unmute",
    "/teams/{team_id:int}/unmute": "mute",
    "/teams/{team_id:int}/members/add": "remove the member",
    "/teams/{team_id:int}/members/{user_id:int}/role": "change it back",
    "/teams/{team_id:int}/invitations": "revoke it",
    "/invitations/{token:str}/accept": "leave the team",
    "/notifications/{notification_id:int}/accept": "leave the team",
    "/projects": "delete the project",
    "/projects/{project_id:int}/rename": "rename it back",
    "/projects/{project_id:int}/mute": "unmute",
    "/projects/{project_id:int}/share": "end the share",
    "/projects/{project_id:int}/compile": "cancel it",
    "/notifications/{notification_id:int}/retry": "cancel it",
    "/projects/{project_id:int}/clips": "delete the clip",
    "/projects/{project_id:int}/clips/{clip_id:int}/move": "move it back",
}
HARMLESS = {
    "/register": "creates what can be deleted",
    "/login": "log out",
    "/logout": "log in",
    "/forgot": "sends a mail",
    "/account/address/confirmation": "sends a mail",
    "/account/address/retry": "sends a mail",
    "/account/password": "asks for the present password, and again for the new one at any time",
    "/account/sessions/end": "log in again; revoking tokens is a choice in the form",
    "/account/sessions/{ended_id:int}/end": "log in again there",
    "/account/notifications/devices/{device_id:int}/test": "sends a push to oneself",
    "/push/visibility": "is reported again within seconds",
    "/admin/deliveries": "tries again what has failed",
    "/admin/announcements": "is written for the purpose, on a form of its own",
    "/teams/{team_id:int}/invitations/{invitation_id:int}/again": "sends a mail, at most hourly",
    "/invitations/{token:str}/decline": "answers a question; the team can invite again",
    "/notifications/{notification_id:int}/decline": "answers a question; the team can invite again",
    "/projects/{project_id:int}/compilations/{compilation_id:int}/cancel": "compile again",
}


async def test_of_every_form_it_is_known_whether_it_can_be_undone(house: Litestar) -> None:
    tables = [ASKS, UNDOABLE, HARMLESS]

    assert {path for table in tables for path in table} == FORMS.keys()
    assert sum(map(len, tables)) == len(FORMS)
    assert {door.path for door in doors(house, "POST")} == FORMS.keys()


@pytest.mark.parametrize("path", ASKS)
async def test_irreversible_forms_ask_for_confirmation_and_say_what_will_happen(
    world: World, path: str
) -> None:
    url, fields = world.url(path), world.right(path)
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        await alice.post("/account/notifications", data=world.right("/account/notifications"))
        asked = await alice.get(url, params=fields)
        in_dialog = await alice.get(url, params=fields, headers={"HX-Request-Type": "partial"})

    assert asked.status_code == 200
    assert url in forms_on(asked.text)
    assert ASKS[path] in words(asked.text)
    if '<h1 id="question-title"' in asked.text:
        assert re.search(r"\A<h1 id=.question-title", in_dialog.text)
        assert url in forms_on(in_dialog.text)
