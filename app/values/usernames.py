"""Which usernames look alike, and which nobody may have."""

# Maps characters that look alike in many fonts to one of them. Names are casefolded first, so `I`,
# `i`, `L`, `l` and `1` all count as `l`.
_LOOK_ALIKES = str.maketrans({"i": "l", "1": "l", "0": "o"})
RESERVED = ("someone", "clippyfront", "system")


def skeleton(username: str) -> str:
    """The same for names that differ only by case and by letters that look alike (UTS 39, 4)."""
    return username.casefold().translate(_LOOK_ALIKES)


def is_reserved(username: str) -> bool:
    """Whether it is, or looks like, a name under which the application itself appears."""
    return skeleton(username) in {skeleton(name) for name in RESERVED}
