"""The meaning of each sentence in a delivery log or a list of devices, old and present wordings.

With it a reworded sentence can be compared with the one it replaced. Keep the old wordings, since
`released/` quotes them; to reword a sentence, add a line with the same code and named groups.
"""

import re
from typing import Any

HOST = r"(?P<host>[\w.-]+)"
STATUS = r"(?: \((?P<status>\d+)\))?"
# (code, pattern); the first pattern that matches counts. The group `then` is itself a sentence. The
# code is "" where an old version showed a library's words without a sentence around them.
MEANINGS = (
    # Why a delivery was skipped or waits.
    ("withdrawn", r"You no longer had access to its subject\."),
    ("withdrawn", r"You no longer have access to what it was about\."),
    ("deleted", r"You had already deleted the notification\."),
    ("read", r"You had already read it in the app\."),
    ("unwanted", r"You had turned this off by then\."),
    ("muted", r"You had muted the team or project by then\."),
    ("muted", r"You had already muted the team or project\."),
    ("gone", r"Email to this address was permanently refused\."),
    ("gone", r"Mail to this address was permanently refused\."),
    ("outage", r"The service cannot be reached\. We will try again\."),
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
    ("off", r"You have turned this off\."),
    ("off_then", r"It was turned off at the time\."),
    ("off", r"You have this switched off\."),
    ("no_device", r"No device had push enabled\."),
    ("off_then", r"It was not switched on at the time\."),
    # The outcome of an attempt.
    ("retried", r"Tried (?P<times>\d+) times? so far\.(?: (?P<then>.+))?"),
    ("expired", r"It expired before it could be delivered\.(?: (?P<then>.+))?"),
    ("broken_off", r"Every attempt was interrupted\."),
    (
        "unsubscribed",
        r"The device has unsubscribed \((?P<status>\d{3}) from (?P<host>\S+)\)\.",
    ),
    ("answered", rf"{HOST} (?:refused it|asked to try again later): (?P<status>\d{{3}})"),
    ("timed_out", rf"{HOST} did not answer within (?P<seconds>\d+) seconds\."),
    ("not_http", rf"{HOST} did not respond with HTTP\."),
    ("not_http", rf"{HOST} did not answer in HTTP\."),
    ("hung_up", rf"{HOST} cannot be reached: Connection reset by peer"),
    ("no_address", rf"{HOST} cannot be reached: No address associated with hostname"),
    ("unreachable", rf"{HOST} cannot be reached: (?P<said>.+)"),
    ("no_endpoint", r"The address of the device is not that of a push service\."),
    ("not_allowed", r"The push service of the device is not allowed\."),
    (
        "not_allowed",
        r"The push service of the device is not one of those that are allowed\.",
    ),
    (
        "smtp",
        r"The service (?:refused it|asked to try again later): (?P<status>\d{3}|-1) (?P<said>.+)",
    ),
    ("", r"The service cannot be reached: (?P<said>.+)"),
    ("", r"The message could not be written: (?P<said>.+)"),
    ("", r"Something unexpected went wrong: (?P<said>.+)"),
    ("", r"No email can be sent to this address: (?P<said>.+)"),
    ("", r"No mail can be sent to this address: (?P<said>.+)"),
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
    ("refuses", rf"Its push service refuses our pushes{STATUS}\. Disable .+"),
    (
        "test_sent",
        r"The test was accepted by its push service and should appear on its screen\.",
    ),
    (
        "test_sent",
        r"The test was accepted by its push service and should be on its screen\.",
    ),
    ("test_retried", rf"Its push service could not accept the test yet{STATUS}\. We try .+"),
    ("test_dead", rf"Its push service did not accept the test{STATUS}\. Please try .+"),
    (
        "test_lost",
        rf"The test found that this browser has unsubscribed from push{STATUS}\. Open .+",
    ),
    (
        "refuses",
        r"Its push service refuses what we send(?: \((?P<status>\d+)\))?\. Disable .+",
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
        r"Its push service refused the test(?: \((?P<status>\d+)\))?\. Disable .+",
    ),
    ("test_unsent", r"The test could not be sent\. Disable .+"),
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
            return {"code": code, **facts} if code else facts
    return {"said": words}
