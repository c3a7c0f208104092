"""The HTML routes of teams."""

from app.teams.pages import invitations, members, team, teams

routes = [*teams.routes, *team.routes, *members.routes, *invitations.routes]
