"""Acts through any web process, each repeated until it is answered, and what became of them."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

import httpx

from tests.cluster._ledger import Act, Findings, Ledger, acts_in
from tests.cluster._listening import Audience, title_of
from tests.cluster._site import Site
from tests.cluster._world import Person, Squad

ANSWERING = httpx.Timeout(20, connect=3)
SECONDS_TO_SETTLE = 180
PER_PAGE = 100
# Of each writer's acts, the others rename the team: no mail, no push, and not repeatable.
MESSAGES = 0.8


@dataclass
class Load:
    """`writers` act at once, each `rate` times a second."""

    site: Site
    squads: Sequence[Squad]
    writers: int = 4
    rate: float = 1.0
    ledger: Ledger = field(default_factory=Ledger)
    _is_over: bool = False

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[Ledger]:
        """Acts meanwhile. On exit every message begun has been acknowledged."""
        async with httpx.AsyncClient(timeout=ANSWERING) as client:
            tasks = [asyncio.create_task(self._write(client, n)) for n in range(self.writers)]
            try:
                yield self.ledger
                self._is_over = True
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()

    async def _write(self, client: httpx.AsyncClient, writer: int) -> None:
        number = 0
        while not self._is_over:
            number += 1
            squad, is_message = random.choice(self.squads), random.random() < MESSAGES
            act = Act(squad.id, writer, number, is_mailed=is_message)
            began = monotonic()
            await (
                self._send(client, squad, act) if is_message else self._rename(client, squad, act)
            )
            await asyncio.sleep(max(0, 1 / self.rate - (monotonic() - began)))

    async def _send(self, client: httpx.AsyncClient, squad: Squad, act: Act) -> None:
        """Safe to repeat, because of its key; an urgent one goes by mail and push at once."""
        body = {
            "type": "custom",
            "title": act.title,
            "team_id": squad.id,
            "priority": "high",
            "idempotency_key": act.title,
        }
        self.ledger.doubtful[act.title] = act
        while not await self._attempt(client, "POST", "/api/events", squad, act, body):  # noqa: ASYNC110
            await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _rename(self, client: httpx.AsyncClient, squad: Squad, act: Act) -> None:
        self.ledger.doubtful[act.title] = act
        await self._attempt(
            client, "PUT", f"/api/teams/{squad.id}", squad, act, {"name": act.title}
        )

    async def _attempt(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        squad: Squad,
        act: Act,
        body: dict[str, object],
    ) -> bool:
        """Whether it was acknowledged."""
        url, headers = random.choice(self.site.urls), {"Authorization": f"Bearer {squad.owner.key}"}
        try:
            answer = await client.request(method, url + path, json=body, headers=headers)
        except httpx.HTTPError:
            self.ledger.statuses[0] += 1
            return False
        self.ledger.statuses[answer.status_code] += 1
        if not answer.is_success:
            return False
        self.ledger.acknowledged[act.title] = self.ledger.doubtful.pop(act.title)
        return True


async def settle(site: Site, squads: Sequence[Squad], audience: Audience, ledger: Ledger) -> None:
    """Waits until all has arrived, or nothing more comes for a while."""
    begun, seen, changed = monotonic(), -1, monotonic()
    while monotonic() - begun < SECONDS_TO_SETTLE:
        await audience.fetch_panels()
        now = _arrived(site, squads, audience)
        if now != seen:
            seen, changed = now, monotonic()
        elif _is_complete(site, squads, audience, ledger) or monotonic() - changed > 90:
            break
        await asyncio.sleep(1)
    print(f"settled after {monotonic() - begun:.0f} s", flush=True)


def _arrived(site: Site, squads: Sequence[Squad], audience: Audience) -> int:
    notices = sum(len(one.titles) for one in audience.listeners)
    return notices + len(site.sent_mails()) + _count_pushed(squads)


def _is_complete(site: Site, squads: Sequence[Squad], audience: Audience, ledger: Ledger) -> bool:
    if any(ledger.titles(one.team) - set(one.titles) for one in audience.listeners):
        return False
    if audience.pages_behind:  # of a web process that was killed last, say, they open again first
        return False
    due = sum(len(ledger.titles(squad.id, mailed=True)) * len(_watchers(squad)) for squad in squads)
    return len({id for id, *_rest in site.sent_mails()}) >= due and _count_pushed(squads) >= due


def _count_pushed(squads: Sequence[Squad]) -> int:
    return sum(len(one.browser.pushed) for squad in squads for one in squad.members if one.browser)


def _watchers(squad: Squad) -> list[Person]:
    return [one for one in squad.members if one.browser]


async def compare(
    site: Site,
    squads: Sequence[Squad],
    audience: Audience,
    ledger: Ledger,
    *,
    most_doubles: int = 0,
) -> Findings:
    """The ledger against every list, stream, mailbox and device. `most_doubles` is how often one
    mail or push may come again.
    """
    findings = Findings()
    lists = {one.id: await _list(site, one) for squad in squads for one in squad.members}
    teams = {one.id: squad.id for squad in squads for one in squad.members}
    findings.add(
        "each act is in each list once",
        [fault for id, told in lists.items() for fault in ledger.faults_of_list(teams[id], told)],
    )
    listeners = audience.listeners
    findings.add(
        "each act is on each stream once, in order",
        [fault for one in listeners for fault in ledger.faults_of_list(one.team, one.titles)],
    )
    findings.add("no position comes twice", [fault for one in listeners for fault in one.faults()])
    findings.add(
        "streams and lists have the same order",
        [f"stream of {one.user_id}" for one in listeners if one.titles != lists[one.user_id]],
    )
    findings.add(
        "each page ends in the true state",
        [
            f"page of {one.user_id} at {one.url}, {'open' if one.is_open else 'closed'}, shows"
            f" {sorted(one.newest)[:3]}, not {lists[one.user_id][-1]}; {dict(one.events)}"
            for one in audience.pages
            if lists[one.user_id] and lists[one.user_id][-1] not in one.newest
        ],
    )
    _compare_messages(site, squads, ledger, findings, most_doubles)
    return findings


async def _list(site: Site, person: Person) -> list[str]:
    """The titles of all notices, the oldest first, as the API lists them."""
    titles, page, pages = list[str](), 1, 1
    headers = {"Authorization": f"Bearer {person.key}"}
    async with httpx.AsyncClient(timeout=60, headers=headers) as client:
        while page <= pages:
            query = {"limit": PER_PAGE, "page": page}
            url = f"{random.choice(site.urls)}/api/notifications"
            answer = (await client.get(url, params=query)).raise_for_status().json()
            titles += [title_of(one) for one in answer["notifications"]]
            page, pages = page + 1, answer["pages"]
    return titles[::-1]


def _compare_messages(
    site: Site, squads: Sequence[Squad], ledger: Ledger, findings: Findings, most_doubles: int
) -> None:
    mails, pushes = list[str](), list[str]()
    sent = site.sent_mails()
    for squad in squads:
        for one in _watchers(squad):
            own = [(subject, id) for id, recipient, subject in sent if recipient == one.email]
            mails += ledger.faults_of_messages(squad.id, _titled(own), most_doubles)
            assert one.browser
            pushed = [one.payload for one in one.browser.pushed]
            told = [(str(each["body"]), str(each["notification_id"])) for each in pushed]
            pushes += ledger.faults_of_messages(squad.id, _titled(told), most_doubles)
    findings.add("each mail arrives", mails)
    findings.add("each push arrives", pushes)
    findings.add("the push service has nothing to complain of", site.push.complaints)
    ids = [id for id, *_rest in sent]
    print(
        f"{len(ids)} mails, {len(ids) - len(set(ids))} of them again;"
        f" {_count_pushed(squads)} pushes",
        flush=True,
    )


def _titled(told: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(titles[0], id) for text, id in told if (titles := acts_in(text))]
