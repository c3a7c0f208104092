"""The JSON routes of teams."""

from app.teams.api import events, invitations, members, teams

routes = [*teams.routes, *members.routes, *invitations.routes, *events.routes]
