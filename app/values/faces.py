"""The face of a user, shown beside what they did: their picture, or initials on a colour."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Face:
    """What templates need to show a user; a `User` has the same attributes.

    `avatar` is the hash of the user's picture, None if they have none.
    """

    id: int
    username: str
    avatar: str | None = None


def avatar_url(user_id: int, avatar: str) -> str:
    """Each picture has its own hash, so browsers may cache this URL forever."""
    return f"/avatars/{user_id}/{avatar}"
