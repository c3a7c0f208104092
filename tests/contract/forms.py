"""Every form of the application: its fields, valid values for them, and values that each refuses."""

from dataclasses import dataclass, field

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}{team} %s👩‍🎬✓"
JUNK = {
    "missing": None,
    "blank": " \t\n \x00",
    "overlong": "x" * 60_000,
    "markup": MARKUP,
    "huge": "9" * 40,
    "negative": "-1",
}
EVERY = frozenset(JUNK)
NOTHING = frozenset({"missing", "blank"})
NAME = NOTHING | {"overlong"}


@dataclass(frozen=True)
class Field:
    """`right` may name ids of the world. Junk that it `refuses` is answered with `status`: 422 is
    the form again, with what is wrong told at the field `at`, and there still what was typed,
    unless `is_kept` says that it cannot be.
    """

    right: str
    refuses: frozenset[str] = frozenset()
    status: int = 422
    is_kept: bool = True
    at: str = ""


@dataclass(frozen=True)
class Form:
    """`fields` by name; a form without any is one button. `code` is the answer when all is right."""

    fields: dict[str, Field] = field(default_factory=dict)
    code: int = 303


def choice(right: str, *, accepts: frozenset[str] = frozenset(), status: int = 422) -> Field:
    return Field(right, EVERY - accepts, status, is_kept=False)


def secret(right: str, *, accepts: frozenset[str] = frozenset()) -> Field:
    return Field(right, EVERY - accepts, is_kept=False)


BUTTON = Form()
PASSWORD = "correct horse"
new_password = secret("a new password", accepts=frozenset({"markup", "huge"}))
own_password = secret(PASSWORD)
EMAIL = Field("dave@example.com", EVERY)
ROLE = choice("viewer")
team_name = Field("Film Squad", NAME)
project_name = Field("Best Clips 2025", NAME)
ignored = Field("1")

FORMS = {
    "/register": Form(
        {
            "username": Field("dave", EVERY),
            "email": EMAIL,
            "password": new_password,
            "timezone": Field("Europe/Berlin"),
            "next": Field("/teams"),
        }
    ),
    "/login": Form(
        {
            "login": Field("alice", EVERY),
            "password": Field(PASSWORD, EVERY, is_kept=False, at="login"),
            "timezone": Field("Europe/Berlin"),
            "next": Field("/teams"),
        }
    ),
    "/logout": BUTTON,
    "/forgot": Form({"email": EMAIL}),
    "/reset/{token:str}": Form({"password": new_password}),
    "/confirm/{token:str}": BUTTON,
    "/account/address/cancel/{token:str}": BUTTON,
    "/account/profile": Form(
        {
            "timezone": choice("Europe/Berlin"),
            "language": choice("en"),
            "theme": choice("dark", accepts=NOTHING),
        }
    ),
    "/account/picture": Form(code=422),
    "/account/picture/remove": BUTTON,
    "/account/address": Form({"email": EMAIL, "password": own_password}),
    "/account/address/confirmation": BUTTON,
    "/account/address/retry": BUTTON,
    "/account/password": Form(
        {"current_password": own_password, "new_password": new_password, "revoke_tokens": ignored}
    ),
    "/account/sessions/end": Form({"revoke_tokens": ignored}),
    "/account/sessions/{ended_id:int}/end": BUTTON,
    # She owns a team with others in it, and is told to hand it over first.
    "/account/delete": Form({"password": own_password}, 409),
    "/account/tokens": Form(
        {"name": Field("A script", NAME), "scope": choice("read"), "password": own_password}, 200
    ),
    "/account/tokens/{token_id:int}/revoke": BUTTON,
    "/account/notifications": Form(
        {
            "preferences.member_added.email": ignored,
            "digest.enabled": ignored,
            "digest.frequency": choice("weekly"),
            "digest.hour": choice("7"),
            "timezone": choice("Europe/Berlin"),
            "pushes_always": ignored,
            "added_directly_by": choice("nobody", accepts=NOTHING),
            "density": choice("compact", accepts=NOTHING),
            "grouping": ignored,
            "urgent_first": ignored,
            "ungrouped_types.custom": ignored,
            "shortcuts": ignored,
            "sound": ignored,
        }
    ),
    "/account/notifications/{field:str}": Form({"timezone": Field("Europe/Berlin")}),
    "/account/notifications/reset": BUTTON,
    "/account/notifications/muted/{mute_id:int}/lift": BUTTON,
    "/admin/accounts/{user_id:int}/suspend": BUTTON,
    "/admin/accounts/{user_id:int}/restore": BUTTON,
    "/admin/accounts/{user_id:int}/delete": BUTTON,
    "/admin/announcements": Form(
        {
            "title": Field("The server rests", NOTHING | {"overlong"}),
            "body": Field("On Sunday.", frozenset({"overlong"})),
            "url": Field("/teams", EVERY - NOTHING),
            "urgent": ignored,
        }
    ),
    "/account/notifications/devices/{device_id:int}/test": BUTTON,
    "/account/notifications/devices/{device_id:int}/remove": BUTTON,
    "/push/visibility": Form({"visible": ignored}, 200),
    "/push/subscription": Form({"endpoint": Field("https://fcm.googleapis.com/fcm/send/1")}, 200),
    "/push/{notification_id:int}/read": Form(code=204),
    "/admin/deliveries": Form({"ids": ignored, "all": Field("")}),
    "/unsubscribe/{token:str}": Form(
        {"scope": Field("everything"), "List-Unsubscribe": ignored}, 200
    ),
    "/unsubscribe/{token:str}/undo": Form({"back": choice("{back}", status=404)}, 200),
    "/stop-invitations/{token:str}": Form({"List-Unsubscribe": ignored}, 200),
    "/stop-invitations/{token:str}/undo": Form(code=200),
    "/account/notifications/invitation-mail": BUTTON,
    "/notifications/bulk": Form(
        {
            "do": choice("read", status=400),
            "ids": Field("{notification_id}"),
            "all_matching": ignored,
            "seen": Field("{notification_id}"),
            "type": choice("team_updated", accepts=NOTHING, status=400),
            "status": choice("unread", accepts=NOTHING, status=400),
            "date_range": choice("week", accepts=NOTHING, status=400),
            "group_key": ignored,
            "page": ignored,
            "confirmed": ignored,
        }
    ),
    "/notifications/density": Form(
        {"density": choice("compact", status=400), "group_key": ignored}
    ),
    "/notifications/read-all": Form({"seen": Field("{notification_id}")}),
    "/notifications/views": Form(
        {
            "name": Field("Failures", NAME | {"markup"}),
            "query": Field("status=unread", EVERY - NOTHING),
        }
    ),
    "/notifications/views/{view_id:int}": Form({"name": Field("Failures", NAME | {"markup"})}),
    "/notifications/views/{view_id:int}/delete": BUTTON,
    "/notifications/views/{view_id:int}/{step:str}": BUTTON,
    "/notifications/undo": Form({"undo": choice("{undo}", status=404)}),
    "/notifications/{notification_id:int}/accept": BUTTON,
    "/notifications/{notification_id:int}/decline": BUTTON,
    "/notifications/{notification_id:int}/retry": BUTTON,
    "/notifications/{notification_id:int}/{do:str}": Form(
        {"type": Field("team_updated"), "page": ignored}
    ),
    "/teams": Form({"name": team_name}),
    "/teams/{team_id:int}/rename": Form({"name": team_name}),
    "/teams/{team_id:int}/mute": BUTTON,
    "/teams/{team_id:int}/unmute": BUTTON,
    "/teams/{team_id:int}/leave": BUTTON,
    "/teams/{team_id:int}/delete": BUTTON,
    "/teams/{team_id:int}/members/add": Form({"login": Field("dora", EVERY), "role": ROLE}),
    "/teams/{team_id:int}/members/{user_id:int}/role": Form({"role": ROLE}),
    "/teams/{team_id:int}/members/{user_id:int}/hand-over": BUTTON,
    "/teams/{team_id:int}/members/{user_id:int}/remove": BUTTON,
    "/teams/{team_id:int}/invitations": Form({"email": EMAIL, "role": ROLE}),
    "/teams/{team_id:int}/invitations/{invitation_id:int}/again": BUTTON,
    "/teams/{team_id:int}/invitations/{invitation_id:int}/revoke": BUTTON,
    "/invitations/{token:str}/accept": BUTTON,
    "/invitations/{token:str}/decline": BUTTON,
    "/projects": Form({"name": project_name}),
    "/projects/{project_id:int}/rename": Form({"name": project_name}),
    "/projects/{project_id:int}/mute": Form({"muted": ignored}),
    "/projects/{project_id:int}/delete": BUTTON,
    "/projects/{project_id:int}/share": Form({"team_id": choice("{other_team_id}")}),
    "/projects/{project_id:int}/unshare": Form(
        {"team_id": choice("{team_id}", status=400), "next": Field("/projects")}
    ),
    "/projects/{project_id:int}/compile": BUTTON,
    "/projects/{project_id:int}/compilations/{compilation_id:int}/cancel": BUTTON,
    # Takes files alone, and here nothing was chosen.
    "/projects/{project_id:int}/clips": Form(code=422),
    "/projects/{project_id:int}/clips/{clip_id:int}/move": Form({"to": choice("up", status=400)}),
    "/projects/{project_id:int}/clips/{clip_id:int}/delete": BUTTON,
}
