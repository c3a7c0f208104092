"""The HTML mouth of teams: the list, a team, its members, and invitations from both sides."""

from app.teams.pages import invitation, members, team, teams

routes = [*teams.routes, *team.routes, *members.routes, *invitation.routes]
