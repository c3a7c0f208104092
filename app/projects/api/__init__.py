"""The JSON mouths of this area."""

from app.projects.api import clips, compilations, projects

routes = [*projects.routes, *clips.routes, *compilations.routes]
