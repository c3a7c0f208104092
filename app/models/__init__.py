"""The schema, in four files a newcomer reads first: account, team, project, notification."""

from app.models.account import Account, Throttle, WebSession
from app.models.notification import (
    Change,
    Delivery,
    Event,
    Mute,
    Notification,
    Preference,
)
from app.models.project import Clip, Compilation, Project, Share
from app.models.team import Invitation, Membership, Team

__all__ = [
    "Account",
    "Change",
    "Clip",
    "Compilation",
    "Delivery",
    "Event",
    "Invitation",
    "Membership",
    "Mute",
    "Notification",
    "Preference",
    "Project",
    "Share",
    "Team",
    "Throttle",
    "WebSession",
]
