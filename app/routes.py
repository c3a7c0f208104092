"""The table of contents: every address, its method and its handler, on one line."""

from copy import copy

from litestar.handlers import HTTPRouteHandler
from litestar.utils import normalize_path

from app import reading_pane
from app.account_lifecycle.pages import addresses, closing, registration
from app.accounts import api as accounts_api
from app.accounts.pages import account, avatars, login, password_reset, sessions, tokens
from app.api_docs import pages as api_docs_pages
from app.dashboard import pages as dashboard_pages
from app.http import possible_ids
from app.notifications.api import bulk
from app.notifications.api import devices as devices_api
from app.notifications.api import inbox as inbox_api
from app.notifications.api import preferences as preferences_api
from app.notifications.api import states as states_api
from app.notifications.api import stream as stream_api
from app.notifications.api import views as views_api
from app.notifications.pages import actions, bell, delivery_log, push, unsubscribe
from app.notifications.pages import devices as devices_pages
from app.notifications.pages import inbox as inbox_pages
from app.notifications.pages import preferences as preferences_pages
from app.notifications.pages import views as views_pages
from app.operations import accounts_api as admin_accounts_api
from app.operations import accounts_pages as admin_accounts
from app.operations import announcements, dead_letters, dev_mail, dev_patterns, health
from app.operations import pages as operations_pages
from app.projects.api import clips as clips_api
from app.projects.api import compilations as compilations_api
from app.projects.api import projects as projects_api
from app.projects.pages import clips as clips_pages
from app.projects.pages import compilations as compilations_pages
from app.projects.pages import projects as projects_pages
from app.projects.pages import sharing
from app.teams.api import events
from app.teams.api import invitations as invitations_api
from app.teams.api import members as members_api
from app.teams.api import teams as teams_api
from app.teams.pages import invitation_mail, team
from app.teams.pages import invitations as invitations_pages
from app.teams.pages import members as members_pages
from app.teams.pages import teams as teams_pages
from app.web import static_files


def at(method: str, path: str, handler: HTTPRouteHandler) -> HTTPRouteHandler:
    """The handler at this address. Its decorator says the method as well: the two must agree."""
    if method not in handler.http_methods:
        raise ValueError(f"{path}: {handler} does not answer {method}.")
    placed = copy(handler)
    placed.paths = {normalize_path(path)}
    if ":int}" in path:
        placed.guards = [possible_ids, *(handler.guards or ())]
    return placed


PAGES = [
    # Health and administration.
    at("GET", "/admin/accounts", admin_accounts.index),
    at("POST", "/admin/accounts/{user_id:int}/suspend", admin_accounts.suspend_account),
    at("POST", "/admin/accounts/{user_id:int}/restore", admin_accounts.restore_account),
    at("GET", "/admin/accounts/{user_id:int}/delete", admin_accounts.ask_to_delete),
    at("POST", "/admin/accounts/{user_id:int}/delete", admin_accounts.delete_account),
    at("GET", "/admin/announcements", announcements.new_announcement),
    at("POST", "/admin/announcements", announcements.send_announcement),
    at("GET", "/dev/mail", dev_mail.mailbox),
    at("GET", "/dev/mail/{name:str}", dev_mail.mail_page),
    at("GET", "/dev/mail/{name:str}/html", dev_mail.mail_html),
    at("GET", "/dev/patterns", dev_patterns.patterns),
    at("GET", "/healthz", health.healthz),
    at("GET", "/readyz", health.readyz),
    at("GET", "/admin", operations_pages.admin),
    at("GET", "/metrics", operations_pages.metrics),
    # Accounts.
    at("POST", "/account/address", addresses.change),
    at("GET", "/confirm/{token:str}", addresses.confirm_page),
    at("POST", "/confirm/{token:str}", addresses.confirm),
    at("GET", "/account/address/cancel/{token:str}", addresses.cancellation_page),
    at("POST", "/account/address/cancel/{token:str}", addresses.cancel),
    at("GET", "/account/export", closing.download),
    at("GET", "/account/delete", closing.deletion_page),
    at("POST", "/account/delete", closing.delete),
    at("GET", "/register", registration.register_page),
    at("POST", "/register", registration.create_account),
    at("GET", "/account", account.account_page),
    at("POST", "/account/profile", account.change_profile),
    at("POST", "/account/picture", avatars.upload),
    at("POST", "/account/picture/remove", avatars.remove),
    at("GET", "/avatars/{user_id:int}/{avatar:str}", avatars.picture),
    at("POST", "/account/address/confirmation", account.resend_confirmation),
    at("POST", "/account/address/retry", account.retry_address),
    at("POST", "/account/password", account.renew_password),
    at("GET", "/login", login.login_page),
    at("POST", "/login", login.log_in),
    at("GET", "/logout", login.log_out_page),
    at("POST", "/logout", login.log_out),
    at("GET", "/forgot", password_reset.forgot_page),
    at("POST", "/forgot", password_reset.request_reset),
    at("GET", "/reset/{token:str}", password_reset.reset_page),
    at("POST", "/reset/{token:str}", password_reset.reset),
    at("POST", "/account/sessions/{ended_id:int}/end", sessions.end_one),
    at("POST", "/account/sessions/end", sessions.end_all),
    at("GET", "/account/tokens", tokens.tokens_page),
    at("POST", "/account/tokens", tokens.create),
    at("GET", "/account/tokens/{token_id:int}/revoke", tokens.ask_to_revoke),
    at("POST", "/account/tokens/{token_id:int}/revoke", tokens.revoke),
    # Dashboard.
    at("GET", "/", dashboard_pages.home),
    # Teams.
    at("POST", "/teams/{team_id:int}/invitations", invitations_pages.send),
    at(
        "POST",
        "/teams/{team_id:int}/invitations/{invitation_id:int}/again",
        invitations_pages.resend,
    ),
    at(
        "GET",
        "/teams/{team_id:int}/invitations/{invitation_id:int}/revoke",
        invitations_pages.ask_to_revoke,
    ),
    at(
        "POST",
        "/teams/{team_id:int}/invitations/{invitation_id:int}/revoke",
        invitations_pages.revoke_invitation,
    ),
    at("GET", "/invitations/{token:str}", invitations_pages.show),
    at("POST", "/invitations/{token:str}/accept", invitations_pages.accept),
    at("POST", "/invitations/{token:str}/decline", invitations_pages.decline),
    at("GET", "/notifications/{notification_id:int}/invitation", invitations_pages.follow),
    at("POST", "/notifications/{notification_id:int}/accept", invitations_pages.accept_in_place),
    at("POST", "/notifications/{notification_id:int}/decline", invitations_pages.decline_in_place),
    at("GET", "/stop-invitations/{token:str}", invitation_mail.show),
    at("POST", "/stop-invitations/{token:str}", invitation_mail.stop),
    at("POST", "/stop-invitations/{token:str}/undo", invitation_mail.resume),
    at("GET", "/teams/{team_id:int}/members/add", members_pages.add_page),
    at("POST", "/teams/{team_id:int}/members/add", members_pages.add),
    at("GET", "/teams/{team_id:int}/members/{user_id:int}", members_pages.show),
    at("POST", "/teams/{team_id:int}/members/{user_id:int}/role", members_pages.set_role),
    at(
        "GET",
        "/teams/{team_id:int}/members/{user_id:int}/hand-over",
        members_pages.ask_to_hand_over,
    ),
    at("POST", "/teams/{team_id:int}/members/{user_id:int}/hand-over", members_pages.make_owner),
    at("GET", "/teams/{team_id:int}/members/{user_id:int}/remove", members_pages.ask_to_remove),
    at("POST", "/teams/{team_id:int}/members/{user_id:int}/remove", members_pages.remove),
    at("GET", "/teams/{team_id:int}", team.show),
    at("POST", "/teams/{team_id:int}/rename", team.rename),
    at("POST", "/teams/{team_id:int}/mute", team.mute),
    at("POST", "/teams/{team_id:int}/unmute", team.unmute),
    at("GET", "/teams/{team_id:int}/delete", team.ask_to_delete),
    at("POST", "/teams/{team_id:int}/delete", team.delete),
    at("GET", "/teams/{team_id:int}/leave", team.ask_to_leave),
    at("POST", "/teams/{team_id:int}/leave", team.leave),
    at("GET", "/teams", teams_pages.index),
    at("POST", "/teams", teams_pages.create),
    # Projects.
    at("POST", "/projects/{project_id:int}/clips", clips_pages.upload),
    at("POST", "/projects/{project_id:int}/clips/{clip_id:int}/move", clips_pages.move),
    at("GET", "/projects/{project_id:int}/clips/{clip_id:int}/video", clips_pages.video),
    at("GET", "/projects/{project_id:int}/clips/{clip_id:int}/thumbnail", clips_pages.thumbnail),
    at("GET", "/projects/{project_id:int}/clips/{clip_id:int}/delete", clips_pages.ask_to_delete),
    at("POST", "/projects/{project_id:int}/clips/{clip_id:int}/delete", clips_pages.delete),
    at("POST", "/projects/{project_id:int}/compile", compilations_pages.compile_project),
    at("GET", "/projects/{project_id:int}/compilation", compilations_pages.progress),
    at(
        "POST",
        "/projects/{project_id:int}/compilations/{compilation_id:int}/cancel",
        compilations_pages.cancel,
    ),
    at(
        "GET",
        "/projects/{project_id:int}/compilations/{compilation_id:int}/video",
        compilations_pages.video,
    ),
    at(
        "GET",
        "/projects/{project_id:int}/compilations/{compilation_id:int}/thumbnail",
        compilations_pages.thumbnail,
    ),
    at("POST", "/notifications/{notification_id:int}/retry", compilations_pages.retry),
    at("GET", "/projects", projects_pages.index),
    at("POST", "/projects", projects_pages.create),
    at("GET", "/projects/{project_id:int}", projects_pages.show),
    at("POST", "/projects/{project_id:int}/rename", projects_pages.rename),
    at("POST", "/projects/{project_id:int}/mute", projects_pages.mute),
    at("GET", "/projects/{project_id:int}/delete", projects_pages.ask_to_delete),
    at("POST", "/projects/{project_id:int}/delete", projects_pages.delete),
    at("POST", "/projects/{project_id:int}/share", sharing.share),
    at("GET", "/projects/{project_id:int}/unshare", sharing.ask_to_unshare),
    at("POST", "/projects/{project_id:int}/unshare", sharing.unshare),
    # Notifications.
    at("POST", "/notifications/{notification_id:int}/{do:str}", actions.row_action),
    at("POST", "/notifications/bulk", actions.bulk_action),
    at("POST", "/notifications/undo", actions.undo),
    at("GET", "/notifications/stream", bell.stream),
    at("GET", "/notifications/bell", bell.bell),
    at("POST", "/notifications/read-all", actions.read_all),
    at("GET", "/admin/deliveries", dead_letters.dead_letters),
    at("POST", "/admin/deliveries", dead_letters.redeliver_selected),
    at("GET", "/notifications/{notification_id:int}/deliveries", delivery_log.deliveries),
    at("GET", "/account/notifications/devices", devices_pages.show),
    at("POST", "/account/notifications/devices/{device_id:int}/test", devices_pages.test),
    at("POST", "/account/notifications/devices/{device_id:int}/remove", devices_pages.remove),
    at("GET", "/notifications/views", views_pages.views_page),
    at("POST", "/notifications/views", views_pages.create),
    at("POST", "/notifications/views/{view_id:int}", views_pages.rename),
    at("POST", "/notifications/views/{view_id:int}/delete", views_pages.destroy),
    at("POST", "/notifications/views/{view_id:int}/{step:str}", views_pages.move),
    at("GET", "/notifications", inbox_pages.inbox),
    at("POST", "/notifications/density", inbox_pages.set_density),
    at("GET", "/notifications/{notification_id:int}", reading_pane.show),
    at("GET", "/notifications/{notification_id:int}/pane", reading_pane.pane),
    at("GET", "/notifications/{notification_id:int}/open", inbox_pages.follow_link),
    at("GET", "/notifications/group/{notification_id:int}", inbox_pages.group),
    at("GET", "/account/notifications", preferences_pages.show),
    at("POST", "/account/notifications", preferences_pages.save_all),
    at("POST", "/account/notifications/{field:str}", preferences_pages.save_one),
    at("GET", "/account/notifications/reset", preferences_pages.ask_to_reset),
    at("POST", "/account/notifications/reset", preferences_pages.reset),
    at("POST", "/account/notifications/muted/{mute_id:int}/lift", preferences_pages.unmute),
    at("POST", "/account/notifications/invitation-mail", preferences_pages.resume_invitation_mail),
    at("GET", "/sw.js", push.service_worker),
    at("GET", "/offline.js", push.service_worker_offline),
    at("GET", "/manifest.webmanifest", push.manifest),
    at("GET", "/offline", push.offline),
    at("GET", "/push/words", push.words),
    at("GET", "/push/state", push.state),
    at("GET", "/push/unread", push.unread),
    at("POST", "/push/{notification_id:int}/read", push.read),
    at("POST", "/push/subscription", push.subscription),
    at("POST", "/push/visibility", push.visibility),
    at("GET", "/unsubscribe/{token:str}", unsubscribe.unsubscribe),
    at("POST", "/unsubscribe/{token:str}", unsubscribe.unsubscribe_now),
    at("POST", "/unsubscribe/{token:str}/undo", unsubscribe.take_back),
    # The API's document, static files.
    at("GET", "/api/docs", api_docs_pages.docs),
    at("GET", "/static/{digest:str}/{path:path}", static_files.static_file),
]

API = [
    # Administration.
    at("GET", "/api/admin/accounts", admin_accounts_api.index),
    at("POST", "/api/admin/accounts/{user_id:int}/suspend", admin_accounts_api.suspend_account),
    at("POST", "/api/admin/accounts/{user_id:int}/restore", admin_accounts_api.restore_account),
    at("DELETE", "/api/admin/accounts/{user_id:int}", admin_accounts_api.delete_account),
    # Accounts.
    at("POST", "/api/tokens", accounts_api.create),
    at("GET", "/api/tokens", accounts_api.index),
    at("DELETE", "/api/tokens/{token_id:int}", accounts_api.revoke),
    # Teams.
    at("POST", "/api/events", events.create),
    at("POST", "/api/teams/{team_id:int}/invitations", invitations_api.create),
    at("GET", "/api/teams/{team_id:int}/invitations", invitations_api.index),
    at(
        "POST",
        "/api/teams/{team_id:int}/invitations/{invitation_id:int}/again",
        invitations_api.again,
    ),
    at(
        "GET",
        "/api/teams/{team_id:int}/invitations/{invitation_id:int}",
        invitations_api.show_sent,
    ),
    at(
        "DELETE",
        "/api/teams/{team_id:int}/invitations/{invitation_id:int}",
        invitations_api.take_back,
    ),
    at("GET", "/api/invitations/{token:str}", invitations_api.show),
    at("POST", "/api/invitations/{token:str}/accept", invitations_api.accept),
    at("POST", "/api/invitations/{token:str}/decline", invitations_api.decline),
    at("POST", "/api/teams/{team_id:int}/members", members_api.add),
    at("PUT", "/api/teams/{team_id:int}/members/{user_id:int}", members_api.change),
    at("DELETE", "/api/teams/{team_id:int}/members/{user_id:int}", members_api.remove),
    at("GET", "/api/teams", teams_api.index),
    at("POST", "/api/teams", teams_api.create),
    at("GET", "/api/teams/{team_id:int}", teams_api.show),
    at("PUT", "/api/teams/{team_id:int}", teams_api.rename),
    at("DELETE", "/api/teams/{team_id:int}", teams_api.destroy),
    at("POST", "/api/teams/{team_id:int}/leave", teams_api.leave),
    at("PUT", "/api/teams/{team_id:int}/mute", teams_api.mute),
    # Projects.
    at("POST", "/api/projects/{project_id:int}/clips", clips_api.upload),
    at("POST", "/api/projects/{project_id:int}/clips/{clip_id:int}/move", clips_api.move),
    at("GET", "/api/projects/{project_id:int}/clips/{clip_id:int}/thumbnail", clips_api.thumbnail),
    at("DELETE", "/api/projects/{project_id:int}/clips/{clip_id:int}", clips_api.destroy),
    at("POST", "/api/projects/{project_id:int}/compile", compilations_api.start),
    at(
        "GET",
        "/api/projects/{project_id:int}/compilations/{compilation_id:int}",
        compilations_api.show,
    ),
    at(
        "POST",
        "/api/projects/{project_id:int}/compilations/{compilation_id:int}/cancel",
        compilations_api.cancel,
    ),
    at(
        "GET",
        "/api/projects/{project_id:int}/compilations/{compilation_id:int}/video",
        compilations_api.video,
    ),
    at(
        "GET",
        "/api/projects/{project_id:int}/compilations/{compilation_id:int}/thumbnail",
        compilations_api.thumbnail,
    ),
    at("GET", "/api/projects", projects_api.index),
    at("POST", "/api/projects", projects_api.create),
    at("GET", "/api/projects/{project_id:int}", projects_api.show),
    at("PUT", "/api/projects/{project_id:int}", projects_api.rename),
    at("DELETE", "/api/projects/{project_id:int}", projects_api.destroy),
    at("PUT", "/api/projects/{project_id:int}/mute", projects_api.mute),
    at("POST", "/api/projects/{project_id:int}/share", projects_api.share),
    at("POST", "/api/projects/{project_id:int}/unshare", projects_api.unshare),
    # Notifications.
    at("POST", "/api/notifications/read-all", bulk.read_all),
    at("POST", "/api/notifications/bulk-mark-read", bulk.bulk_mark_read),
    at("POST", "/api/notifications/bulk-mark-unread", bulk.bulk_mark_unread),
    at("POST", "/api/notifications/bulk-delete", bulk.bulk_delete),
    at("POST", "/api/notifications/bulk", bulk.bulk),
    at("POST", "/api/notifications/undo", bulk.undo),
    at("POST", "/api/push/subscribe", devices_api.subscribe),
    at("POST", "/api/push/unsubscribe", devices_api.unsubscribe),
    at("GET", "/api/push/subscriptions", devices_api.index),
    at("POST", "/api/push/test", devices_api.test),
    at("GET", "/api/notifications", inbox_api.index),
    at("GET", "/api/notifications/unread-count", inbox_api.unread_count),
    at("GET", "/api/notifications/summary", inbox_api.summary),
    at("GET", "/api/notifications/{notification_id:int}", inbox_api.show),
    at("GET", "/api/notifications/{notification_id:int}/history", inbox_api.history),
    at("POST", "/api/notifications/{notification_id:int}/done", states_api.done),
    at("POST", "/api/notifications/{notification_id:int}/undone", states_api.undone),
    at("POST", "/api/notifications/{notification_id:int}/save", states_api.save),
    at("POST", "/api/notifications/{notification_id:int}/unsave", states_api.unsave),
    at("POST", "/api/notifications/{notification_id:int}/snooze", states_api.snooze),
    at("POST", "/api/notifications/{notification_id:int}/unsnooze", states_api.unsnooze),
    at("POST", "/api/notifications/{notification_id:int}/read", states_api.read),
    at("POST", "/api/notifications/{notification_id:int}/unread", states_api.unread),
    at("DELETE", "/api/notifications/{notification_id:int}", states_api.destroy),
    at("GET", "/api/notification-views", views_api.index),
    at("POST", "/api/notification-views", views_api.create),
    at("PUT", "/api/notification-views/order", views_api.order),
    at("PUT", "/api/notification-views/{view_id:int}", views_api.change),
    at("DELETE", "/api/notification-views/{view_id:int}", views_api.destroy),
    at("GET", "/api/notification-preferences", preferences_api.show),
    at("PUT", "/api/notification-preferences", preferences_api.change),
    at("GET", "/api/notifications/stream", stream_api.stream),
]
