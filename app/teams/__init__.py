"""Teams: members, roles and rights, invitations, and events sent by programs."""
