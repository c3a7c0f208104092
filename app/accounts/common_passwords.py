"""The 10,000 most common passwords of at least 8 bytes, which attackers try first.

`common_passwords.txt` has them in lower case. They are from two lists: the one that Django 5.2
ships (`common-passwords.txt.gz`, by Royce Williams, of leaked passwords) and the first 10,000 of
zxcvbn 4.5, filled up to 10,000 with the next ones of zxcvbn.
"""

from functools import cache
from pathlib import Path


def is_common(password: str) -> bool:
    return password.casefold() in common_passwords()


@cache
def common_passwords() -> frozenset[str]:
    return frozenset(Path(__file__).with_suffix(".txt").read_text().split())
