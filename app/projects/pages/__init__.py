"""Every address of this area."""

from typing import Any

from app.projects.pages import clips, compilations, dashboard, projects, sharing

routes: list[Any] = [
    *dashboard.routes,
    *projects.routes,
    *sharing.routes,
    *clips.routes,
    *compilations.routes,
]
