"""Input as WebDriver describes it, alike in its classic and its bidirectional form.

W3C WebDriver §15 (actions) and §17.4.2 (keys).
"""

from collections.abc import Sequence
from typing import Any

KEYS = {"Escape": "\ue00c", "F5": "\ue035", "Tab": "\ue004", "Enter": "\ue007"}


def clicking(x: int, y: int) -> list[dict[str, Any]]:
    acts: list[dict[str, Any]] = [
        {"type": "pointerMove", "x": x, "y": y, "duration": 0, "origin": "viewport"},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerUp", "button": 0},
    ]
    kind = {"pointerType": "mouse"}
    return [{"type": "pointer", "id": "mouse", "parameters": kind, "actions": acts}]


def typing(keys: Sequence[str]) -> list[dict[str, Any]]:
    acts = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
    return [{"type": "key", "id": "keyboard", "actions": acts}]
