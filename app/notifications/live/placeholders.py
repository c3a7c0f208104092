"""Numbers that take the place of personal values in a rendering, which is then split at them.

Each process draws its own: nobody can write one into a name or a title. They are numbers because
they stand where numbers do, bare in JSON and in URLs; with 18 digits, none of them is part of another
one, or as small as an id.
"""

from secrets import SystemRandom

# A notification's id, a position, and a count of unread notifications.
ID, POSITION, COUNT = SystemRandom().sample(range(10**17, 10**18), 3)
