"""Every address of this area."""

from typing import Any

from app.dashboard import pages
from app.projects.pages import clips, compilations, projects, sharing

routes: list[Any] = [
    *pages.routes,
    *projects.routes,
    *sharing.routes,
    *clips.routes,
    *compilations.routes,
]
