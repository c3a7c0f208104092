"""The meaning of each sentence in a delivery log or a list of devices, old and present wordings.

With it a reworded sentence can be compared with the one it replaced. Keep the old wordings, since
`released/` quotes them; to reword a sentence, add a line with the same code and named groups.
"""

import re
from typing import Any

# (code, pattern); the first pattern that matches counts. The group `then` is itself a sentence.
MEANINGS = (
    # Why a delivery was skipped or waits.
    ("withdrawn", r"You may no longer see what it was about\."),
    ("deleted", r"It was deleted before\."),
    ("read", r"It was read in the app before\."),
    ("unwanted", r"You have switched this off since\."),
    ("muted", r"You have muted the team or project since\."),
    ("unconfirmed", r"The address is not confirmed\."),
    ("gone", r"Mail to this address was refused for good\."),
    ("visible", r"You had a page open\."),
    ("removed", r"The device was removed\."),
    ("outage", r"The service could not be reached; it is tried again\."),
    # Why there is no delivery.
    ("off", r"You have this switched off\."),
    ("no_device", r"No device had push enabled\."),
    ("off_then", r"It was not switched on at the time\."),
    # The outcome of an attempt.
    ("retried", r"Tried (?P<times>\d+) times? so far\.(?: (?P<then>.+))?"),
    ("expired", r"It was no news any more\.(?: Before: (?P<then>.+))?"),
    ("broken_off", r"Each attempt broke off\."),
    ("unsubscribed", r"(?P<status>\d{3}) from (?P<host>\S+): the device has unsubscribed\."),
    ("answered", r"(?P<status>\d{3}) from (?P<host>\S+)"),
    ("timed_out", r"(?P<host>[\w.-]+): No answer within (?P<seconds>\d+) seconds\."),
    ("not_http", r"(?P<host>[\w.-]+): The answer was not HTTP\."),
    ("hung_up", r"(?P<host>[\w.-]+): The push service has hung up\."),
    ("no_address", r"(?P<host>[\w.-]+): It has no address\."),
    ("unreachable", r"(?P<host>[\w.-]+): (?P<said>.+)"),
    ("no_endpoint", r"This is not the address of a push service\."),
    ("not_allowed", r"This push service is not one of those that are allowed\."),
    ("inside", r"The push service is at an address inside our own network\."),
    ("smtp", r"(?P<status>\d{3}|-1) (?P<said>.+)"),
    # The health of a device.
    (
        "refuses",
        r"Its push service refuses what we send(?: \((?P<status>\d+)\))?\. Disable and enable .+",
    ),
    ("other_key", r"The server has a new key\. Open ClippyFront there once\."),
    ("test_sent", r"The test was taken by its push service and should be on its screen\."),
    ("test_due", r"A test is on its way\."),
    (
        "test_retried",
        r"Its push service could not take the test yet(?: \((?P<status>\d+)\))?\. We try .+",
    ),
    (
        "test_dead",
        r"Its push service has not taken the test(?: \((?P<status>\d+)\))?\. Please try .+",
    ),
    (
        "test_refused",
        r"Its push service refused the test(?: \((?P<status>\d+)\))?\. Disable and enable .+",
    ),
    ("test_unsent", r"The test could not be sent\. Disable and enable push there, and try again\."),
    (
        "test_lost",
        r"The test found that this browser has given push up(?: \((?P<status>\d+)\))?\. Open .+",
    ),
)


def meaning(sentence: str) -> dict[str, Any]:
    """Its code and the facts in it; {"said": …} for a sentence that is not the application's own."""
    words = " ".join(sentence.split())
    for code, pattern in MEANINGS:
        if found := re.fullmatch(pattern, words):
            facts: dict[str, Any] = found.groupdict()
            if facts.get("then"):
                facts["then"] = meaning(facts["then"])
            return {"code": code, **facts}
    return {"said": words}
