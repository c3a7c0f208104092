"""Teams: who belongs to them, who may do what there, and who was asked to join."""
