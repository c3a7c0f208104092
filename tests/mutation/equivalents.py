"""Mutants that survive because they change nothing that matters, each with the reason.

A mutant is written as the command prints it: the lines removed and added, without indentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Equivalent:
    change: str
    reason: str


EQUIVALENT: dict[str, list[Equivalent]] = {}
