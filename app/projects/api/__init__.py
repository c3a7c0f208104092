"""The JSON API of projects."""

from app.projects.api import clips, compilations, projects

routes = [*projects.routes, *clips.routes, *compilations.routes]
