"""The catalogue of CONTRACT section 2 as data: each type, how it comes about, and who reads what."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tests.contract import causes
from tests.contract.cast import Stage

Deed = Callable[[Stage], Awaitable[object]]
HIGH, NORMAL, LOW = "high", "normal", "low"
TO_TEAM = ("Go to Team",)


async def nothing(_stage: Stage) -> None:
    """What needs no preparation."""


@dataclass(frozen=True)
class Row:
    """`hears` maps a name of the cast to the texts that person reads, the newest first; everybody
    else reads nothing.

    `actions` are the labels on the notice; `actions_of` those of somebody for whom they differ.
    `ends_page`: the session ends with the act, and with it the open page. `is_opened_by`: whom the
    act itself leads to the page of the notice, which they have read by that.
    """

    type: str
    cause: Deed
    hears: Mapping[str, tuple[str, ...]]
    icon: str
    priority: str
    context: frozenset[str]
    actions: tuple[str, ...] = ()
    actions_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mail: bool = False
    push: bool = False
    in_app: bool = True
    mandatory: frozenset[str] = frozenset()
    ends_page: bool = False
    is_opened_by: str = ""
    prepare: Deed = nothing

    @property
    def name(self) -> str:
        return f"{self.type}: {self.cause.__name__}"


def each(names: str, *texts: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names.split(), texts)


TABLE = [
    Row(
        "invitation_received",
        causes.alice_invites_ines,
        each("ines", "alice invited you to join team 'Video Squad' as editor"),
        icon="bi-envelope",
        priority=HIGH,
        context=frozenset({"role", "inviter"}),
        actions=("Accept", "Decline", "View Invitation"),
        mail=True,
        push=True,
    ),
    Row(
        "invitation_declined",
        causes.ines_declines,
        each("adam", "ines declined the invitation to team 'Video Squad'"),
        icon="bi-envelope-x",
        priority=LOW,
        context=frozenset({"username"}),
        actions=TO_TEAM,
        prepare=causes.adam_invites_ines,
    ),
    Row(
        "member_added",
        causes.alice_adds_carol,
        each("carol", "You were added to team 'Video Squad' as viewer")
        | each("adam bob vera", "carol joined the team as viewer"),
        icon="bi-person-plus",
        priority=NORMAL,
        context=frozenset({"username", "role"}),
        actions=TO_TEAM,
        mail=True,
    ),
    Row(
        "member_added",
        causes.ines_accepts,
        each("ines", "You were added to team 'Video Squad' as editor")
        | each("alice adam bob vera", "ines joined the team as editor"),
        icon="bi-person-plus",
        priority=NORMAL,
        context=frozenset({"username", "role"}),
        actions=TO_TEAM,
        mail=True,
        prepare=causes.adam_invites_ines,
        is_opened_by="ines",
    ),
    Row(
        "member_removed",
        causes.adam_removes_bob,
        each("bob", "You were removed from team 'Video Squad'")
        | each("alice vera", "bob was removed from the team"),
        icon="bi-person-dash",
        priority=NORMAL,
        context=frozenset({"username"}),
        actions=TO_TEAM,
        actions_of={"bob": ()},
    ),
    Row(
        "member_left",
        causes.bob_leaves,
        each("alice adam vera", "bob left the team"),
        icon="bi-box-arrow-right",
        priority=LOW,
        context=frozenset({"username"}),
        actions=TO_TEAM,
    ),
    Row(
        "member_role_changed",
        causes.alice_makes_bob_a_viewer,
        each("bob", "Your role in team 'Video Squad' changed from editor to viewer")
        | each("adam vera", "bob's role changed from editor to viewer"),
        icon="bi-person-gear",
        priority=NORMAL,
        context=frozenset({"username", "old_role", "new_role"}),
        actions=TO_TEAM,
    ),
    Row(
        "member_role_changed",
        causes.alice_hands_over_to_bob,
        each("bob", "Your role in team 'Video Squad' changed from editor to owner")
        | each(
            "adam vera",
            "alice's role changed from owner to admin",
            "bob's role changed from editor to owner",
        ),
        icon="bi-person-gear",
        priority=NORMAL,
        context=frozenset({"username", "old_role", "new_role"}),
        actions=TO_TEAM,
    ),
    Row(
        "team_updated",
        causes.adam_renames_the_team,
        each("alice bob vera", "Team 'Video Squad' is now called 'Film Squad'"),
        icon="bi-pencil",
        priority=LOW,
        context=frozenset({"old_name", "new_name"}),
        actions=TO_TEAM,
    ),
    Row(
        "team_deleted",
        causes.alice_deletes_the_team,
        each("adam bob vera", "Team 'Video Squad' was deleted"),
        icon="bi-trash",
        priority=NORMAL,
        context=frozenset({"team_name"}),
    ),
    Row(
        "team_created",
        causes.carol_creates_a_team,
        {},
        icon="bi-people",
        priority=LOW,
        context=frozenset({"team_name"}),
        actions=TO_TEAM,
    ),
    Row(
        "project_shared",
        causes.bob_shares,
        each("alice adam vera", "Project 'Highlight Reel' was shared with team 'Video Squad'"),
        icon="bi-folder-symlink",
        priority=NORMAL,
        context=frozenset({"project_name", "team_name"}),
        actions=("See Details",),
        mail=True,
    ),
    Row(
        "project_unshared",
        causes.adam_ends_the_sharing,
        each(
            "alice bob vera",
            "Project 'Highlight Reel' is no longer shared with team 'Video Squad'",
        ),
        icon="bi-folder-x",
        priority=LOW,
        context=frozenset({"project_name", "team_name"}),
        prepare=causes.bob_shares,
    ),
    Row(
        "project_unshared",
        causes.bob_deletes_the_project,
        each(
            "alice adam vera",
            "Project 'Highlight Reel' is no longer shared with team 'Video Squad'",
        ),
        icon="bi-folder-x",
        priority=LOW,
        context=frozenset({"project_name", "team_name"}),
        prepare=causes.bob_shares,
    ),
    Row(
        "compilation_completed",
        causes.the_compilation_ends,
        each("alice adam bob vera", "Compilation of 'Highlight Reel' is complete"),
        icon="bi-check-circle",
        priority=NORMAL,
        context=frozenset({"duration", "size", "thumbnail"}),
        actions=("View Project",),
        mail=True,
        push=True,
        prepare=causes.adam_compiles,
    ),
    Row(
        "compilation_failed",
        causes.the_compilation_fails,
        each("bob", "Compilation of 'Highlight Reel' failed"),
        icon="bi-exclamation-triangle",
        priority=HIGH,
        context=frozenset({"error"}),
        actions=("Retry", "View Project"),
        mail=True,
        push=True,
        prepare=causes.adam_compiles,
    ),
    Row(
        "account_password_changed",
        causes.bob_changes_his_password,
        each("bob", "Your password was changed"),
        icon="bi-key",
        priority=HIGH,
        context=frozenset(),
        actions=("Review Account",),
        mail=True,
        push=True,
        mandatory=frozenset({"in_app", "email"}),
        ends_page=True,
        is_opened_by="bob",
    ),
    Row(
        "account_address_change_requested",
        causes.bob_asks_for_a_new_address,
        each("bob", "A change of your address to new@example.com was requested"),
        icon="bi-envelope-at",
        priority=HIGH,
        context=frozenset({"address"}),
        actions=("Review Account",),
        mail=True,
        mandatory=frozenset({"in_app", "email"}),
        is_opened_by="bob",
    ),
    Row(
        "account_token_created",
        causes.bob_creates_a_token,
        each("bob", "Access token 'Backup script' was created"),
        icon="bi-key",
        priority=NORMAL,
        context=frozenset({"name"}),
        actions=("Review Account",),
        mail=True,
        in_app=False,
    ),
    Row(
        "account_signed_in_elsewhere",
        causes.bob_signs_in_at_another_browser,
        each("bob", "New sign-in: Firefox on Linux"),
        icon="bi-box-arrow-in-right",
        priority=NORMAL,
        context=frozenset({"device", "address"}),
        actions=("Review Account",),
        mail=True,
        in_app=False,
    ),
    Row(
        "custom",
        causes.a_program_of_alice_tells,
        each("adam bob vera", "The nightly render is done"),
        icon="bi-megaphone",
        priority=NORMAL,
        context=frozenset({"title", "body", "url", "priority"}),
        actions=("Open",),
    ),
    Row(
        "announcement",
        causes.alice_tells_everyone,
        each("adam bob vera carol ines", "The server rests on Sunday"),
        icon="bi-megaphone",
        priority=NORMAL,
        context=frozenset({"title", "body", "url", "priority"}),
        actions=("Open",),
        prepare=causes.alice_runs_the_server,
    ),
]
