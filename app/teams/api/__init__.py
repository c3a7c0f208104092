"""The JSON endpoints for teams, members, invitations and custom events."""

from app.teams.api import events, invitations, members, teams

routes = [*teams.routes, *members.routes, *invitations.routes, *events.routes]
