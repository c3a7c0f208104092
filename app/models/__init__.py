"""The schema. Start reading here: account, team, project, notification."""

from app.models.account import EndingCount, SignInPlace, Throttle, Token, User, WebSession
from app.models.keys import GeneratedKey
from app.models.machine import ClockReading, CronTick
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
    RemovalCount,
    RemovedDevice,
    SavedView,
    Superseded,
    Suppression,
    UngroupedType,
)
from app.models.project import Clip, Compilation, Project, Share, UploadReservation
from app.models.team import Invitation, Membership, Team

__all__ = [
    "Change",
    "CleanUp",
    "Clip",
    "ClockReading",
    "Compilation",
    "CronTick",
    "Delivery",
    "EndingCount",
    "Event",
    "GeneratedKey",
    "IngestKey",
    "Invitation",
    "Mailing",
    "Membership",
    "Mute",
    "Notification",
    "Preference",
    "Project",
    "PushSubscription",
    "RemovalCount",
    "RemovedDevice",
    "SavedView",
    "Share",
    "SignInPlace",
    "Superseded",
    "Suppression",
    "Team",
    "Throttle",
    "Token",
    "UngroupedType",
    "UploadReservation",
    "User",
    "WebSession",
]
