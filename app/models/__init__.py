"""The schema. Start reading here: account, team, project, notification."""

from app.models.account import EndingCount, SignInPlace, Throttle, Token, User, WebSession
from app.models.notification import (
    Change,
    CleanUp,
    Delivery,
    Event,
    IngestKey,
    Mailing,
    Mute,
    Notification,
    Preference,
    PushSubscription,
    RemovedDevice,
)
from app.models.project import Clip, Compilation, Project, Share, UploadReservation
from app.models.team import Invitation, Membership, Team

__all__ = [
    "Change",
    "CleanUp",
    "Clip",
    "Compilation",
    "Delivery",
    "EndingCount",
    "Event",
    "IngestKey",
    "Invitation",
    "Mailing",
    "Membership",
    "Mute",
    "Notification",
    "Preference",
    "Project",
    "PushSubscription",
    "RemovedDevice",
    "Share",
    "SignInPlace",
    "Team",
    "Throttle",
    "Token",
    "UploadReservation",
    "User",
    "WebSession",
]
