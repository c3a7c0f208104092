"""Explains the state of a delivery: rows hold codes, and this module has a sentence for each.

The sentences for a channel's own codes are in its `words`, which take precedence.
"""

from collections.abc import Mapping

from app.language import N_, _, ngettext
from app.mail.limits import BY_ALL, BY_RECIPIENT, BY_SENDER
from app.models import Delivery
from app.models.notification import DONE, SNOOZED
from app.notifications.channels.base import (
    OFF_THEN,
    OUTAGE,
    REFUSED,
    RESTING,
    UNAVAILABLE,
    UNEXPECTED,
    UNWRITABLE,
    Channel,
    DeliveryFailure,
)
from app.notifications.delivery.claims import INTERRUPTED
from app.notifications.delivery.decision import (
    DELETED,
    EXPIRED,
    INVITER_SUSPENDED,
    MUTED,
    PERHAPS_VISIBLE,
    READ,
    RESTORED,
    SUSPENDED,
    UNKNOWN_TYPE,
    UNWANTED,
    VISIBLE,
    WITHDRAWN,
)
from app.outgoing import NOT_HTTP, TIMEOUT, UNREACHABLE

# Why there is no delivery: its user does not want such events on the channel.
OFF = "off"
# Why the notification of an invitation is shown only in the app.
UNCONFIRMED_SENDER = "sender_unconfirmed"
STOPPED = "stopped"
MAILED_BEFORE = "mailed_before"
REASONS = {
    WITHDRAWN: N_("You no longer had access to its subject."),
    DELETED: N_("You had already deleted the notification."),
    DONE: N_("You had already done it in the app."),
    READ: N_("You had already read it in the app."),
    SNOOZED: N_("You snoozed the notification. It will be sent when that is back."),
    UNWANTED: N_("You had turned this off by then."),
    MUTED: N_("You had already muted the team or project."),
    SUSPENDED: N_("Your account was suspended at the time."),
    INVITER_SUSPENDED: N_("The account that sent the invitation was suspended."),
    EXPIRED: N_("It expired before it could be delivered."),
    VISIBLE: N_("You had a page open."),
    PERHAPS_VISIBLE: N_("You may have a page open. It will be sent if you have closed it."),
    UNKNOWN_TYPE: N_("It is waiting for a newer version of the server."),
    OUTAGE: N_("The service cannot be reached. We will try again."),
    RESTING: N_("The service asked for a pause. We will try again."),
    INTERRUPTED: N_("Every attempt was interrupted."),
    RESTORED: N_("The server was restored from a backup. It may have been sent before."),
    "answered": N_("The invitation is no longer open."),
    "confirmed": N_("The address was already confirmed or replaced."),
    UNCONFIRMED_SENDER: N_("The address of its sender was not confirmed."),
    BY_RECIPIENT: N_("Your address had reached its daily limit of invitation emails."),
    BY_SENDER: N_("Its sender had reached their daily limit of invitation emails."),
    BY_ALL: N_("This server had reached its daily limit of invitation emails."),
    STOPPED: N_("Invitation emails to this address were stopped."),
    MAILED_BEFORE: N_("You already got this email before you confirmed your address."),
    OFF: N_("You have turned this off."),
    OFF_THEN: N_("It was turned off at the time."),
}
FAILURES = {
    REFUSED: N_("{host} refused it: {reply}"),
    UNAVAILABLE: N_("{host} asked to try again later: {reply}"),
    UNREACHABLE: N_("{host} cannot be reached: {reply}"),
    TIMEOUT: N_("{host} did not answer within {reply} seconds."),
    NOT_HTTP: N_("{host} did not respond with HTTP."),
    UNWRITABLE: N_("The message could not be written: {reply}"),
    UNEXPECTED: N_("Something unexpected went wrong: {reply}"),
}


def explain(delivery: Delivery, channel: Channel) -> str:
    """In the current language; "" if the state needs no explanation."""
    failed = explain_failure(failure_of(delivery), channel.words)
    if delivery.state == "pending" and delivery.attempts:
        n = delivery.attempts
        tried = ngettext("Tried {n} time so far.", "Tried {n} times so far.", n).format(n=n)
        return f"{tried} {failed}".strip()
    if delivery.reason:
        reason = explain_reason(delivery.reason, channel.words)
        return f"{reason} {failed}".strip() if delivery.state == "dead" else reason
    return failed


def explain_reason(reason: str, words: Mapping[str, str]) -> str:
    """The reason as a sentence in the current language. The channel's own `words` take precedence."""
    return _(words.get(reason) or REASONS.get(reason) or reason)


def explain_failure(failure: DeliveryFailure | None, words: Mapping[str, str]) -> str:
    """The failure as a sentence, "" if there is none. `words` are those of the channel."""
    if failure is None:
        return ""
    status_code = "" if failure.status_code is None else str(failure.status_code)
    sentence = words.get(failure.code) or FAILURES.get(failure.code) or "{host}: {reply}"
    return _(sentence).format(
        host=failure.host or _("The service"),
        status_code=status_code,
        reply=f"{status_code} {failure.detail or ''}".strip(),
    )


def failure_of(delivery: Delivery) -> DeliveryFailure | None:
    """The failure of the delivery's last attempt, or None."""
    if delivery.failure is None:
        return None
    return DeliveryFailure(delivery.failure, delivery.host, delivery.status_code, delivery.detail)
