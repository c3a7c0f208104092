"""Which usernames look alike, and which are reserved."""

import pytest

from app.values.usernames import is_reserved, skeleton


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "aIice"),
        ("alice", "a1ice"),
        ("ALICE", "AL1CE"),
        ("bob", "b0b"),
        ("Otto", "0tt0"),
        ("bill", "biII"),
        ("dora", "DORA"),
    ],
)
def test_names_that_look_alike_have_the_same_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "alicia"), ("dora", "d.ora"), ("person1", "person2")]
)
def test_other_names_have_different_skeletons(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize(
    "name", ["someone", "Someone", "clippyfront", "ClippyFront", "c1ippyfr0nt", "SYSTEM", "s0me0ne"]
)
def test_names_that_stand_for_the_application_are_reserved(name: str) -> None:
    assert is_reserved(name)


def test_other_names_are_not_reserved() -> None:
    assert not is_reserved("someone_else")
