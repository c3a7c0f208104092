"""The schema. Start reading here.

    account         users, their sessions, access tokens and throttles
    team project    what users share: teams, invitations; projects, clips, compilations
    notification    events, and the notifications of their recipients
    delivery push   how notifications reach mailboxes and browsers
    preference      what each user wants to hear of, and how
    machine keys    what an installation remembers about itself

Each class is a table. `migrations` creates the tables, and triggers that no class mentions.
"""

from app.models.account import EndingCount, SignInPlace, Throttle, Token, User, WebSession
from app.models.delivery import Delivery, Mailing, Suppression
from app.models.keys import GeneratedKey
from app.models.machine import ClockReading, CronTick
from app.models.notification import (
    Change,
    CleanUp,
    Event,
    IngestKey,
    Notification,
    RemovalCount,
    Superseded,
)
from app.models.preference import Mute, Preference, SavedView, UngroupedType
from app.models.project import Clip, Compilation, Project, Share, UploadReservation
from app.models.push import PushSubscription, RemovedDevice
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
