"""The pages of projects."""

from typing import Any

from app.projects.pages import clips, compilations, projects, sharing

routes: list[Any] = [
    *projects.routes,
    *sharing.routes,
    *clips.routes,
    *compilations.routes,
]
