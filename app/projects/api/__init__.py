"""The JSON endpoints for projects, clips and compilations."""

from app.projects.api import clips, compilations, projects

routes = [*projects.routes, *clips.routes, *compilations.routes]
