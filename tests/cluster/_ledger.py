"""Compares acts with notifications: each acknowledged act must arrive exactly once everywhere."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_title = re.compile(r"\bact \d+-\d+\b")


def acts_in(text: str) -> list[str]:
    """The titles of the acts that the text names."""
    return _title.findall(text)


@dataclass(frozen=True)
class Act:
    """`writer` does one act after the other; `number` counts them. The title is unique."""

    team: int
    writer: int
    number: int
    is_mailed: bool

    @property
    def title(self) -> str:
        return f"act {self.writer}-{self.number}"


@dataclass
class Ledger:
    """`statuses` counts the answers to all attempts, 0 where there was none."""

    acknowledged: dict[str, Act] = field(default_factory=dict)
    # Begun, but never answered: these may have happened or not.
    doubtful: dict[str, Act] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)

    def titles(self, team: int, *, mailed: bool = False) -> set[str]:
        """The acknowledged acts in a team; with `mailed`, only those sent by mail and push."""
        acts = self.acknowledged.items()
        return {title for title, act in acts if act.team == team and (act.is_mailed or not mailed)}

    def faults_of_list(self, team: int, told: Sequence[str]) -> list[str]:
        """`told` are the titles in order of arrival, in a list, or on a stream open all the time."""
        expected, times = self.titles(team), Counter(told)
        faults = [f"lost: {title}" for title in sorted(expected - times.keys())]
        faults += [f"told {n} times: {title}" for title, n in times.items() if n > 1]
        strange = times.keys() - expected - self.doubtful.keys()
        faults += [f"never done: {title}" for title in sorted(strange)]
        return faults + self._disorder(told)

    def _disorder(self, told: Sequence[str]) -> list[str]:
        """A writer's next act begins when the last one was answered, so they arrive in that order."""
        numbers = defaultdict[int, list[int]](list)
        for title in told:
            if act := self.acknowledged.get(title):
                numbers[act.writer].append(act.number)
        return [
            f"writer {writer}: {after} after {before}"
            for writer, theirs in numbers.items()
            for before, after in pairwise(theirs)
            if after < before
        ]

    def faults_of_messages(
        self, team: int, told: Iterable[tuple[str, str]], most_doubles: int
    ) -> list[str]:
        """`told` are (title, id) of a device's pushes or an address's mails. A message that comes
        again has the same id, and each comes again at most `most_doubles` times.
        """
        ids = defaultdict[str, list[str]](list)
        for title, id in told:
            ids[title].append(id)
        lost = self.titles(team, mailed=True) - ids.keys()
        faults = [f"lost: {title}" for title in sorted(lost)]
        faults += [f"two ids: {title}" for title, all in ids.items() if len(set(all)) > 1]
        often = [title for title, all in ids.items() if len(all) > 1 + most_doubles]
        return faults + [f"{len(ids[title])} times: {title}" for title in often]


@dataclass
class Findings:
    """Whether each thing that must hold did, and the first of what spoke against it."""

    held: dict[str, bool] = field(default_factory=dict)

    def add(self, what: str, faults: Sequence[str]) -> None:
        self.held[what] = not faults
        for fault in faults[:5]:
            print(f"        {what}: {fault}", flush=True)
        if len(faults) > 5:
            print(f"        {what}: and {len(faults) - 5} more", flush=True)

    def require(self, what: str, holds: bool) -> None:
        self.held[what] = holds
