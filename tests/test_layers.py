"""Imports point one way; this keeps it."""

import ast
from pathlib import Path

APP = Path(__file__).parent.parent / "app"
LAYERS = [
    [
        "settings",
        "clock",
        "zones",
        "errors",
        "language",
        "base64url",
        "metrics",
        "logs",
        "collector",
    ],
    ["database", "broker", "rendering", "security", "vapid"],
    ["models"],
    ["migrations", "mail", "mime", "throttle"],
    ["notifications"],
    ["sharing"],
    ["web"],
    ["api", "messages"],
    ["failures", "accounts", "teams", "projects", "notifications.pages", "notifications.api"],
    ["doors", "operations"],
    ["asgi", "worker", "demo"],
    ["doctor"],
    ["commands", "bootstrap", "__main__"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def test_no_module_imports_from_a_layer_above_its_own() -> None:
    upward = [
        f"{importer} imports {imported}"
        for importer, imported in _imports()
        if RANK[imported] > RANK[importer]
    ]

    assert upward == []


def test_accounts_teams_and_projects_do_not_know_each_other() -> None:
    areas = {"accounts", "teams", "projects"}

    across = [pair for pair in _imports() if pair[0] != pair[1] and areas >= set(pair)]

    assert across == []


def _imports() -> list[tuple[str, str]]:
    return [
        (_layer(f"app.{'.'.join(file.relative_to(APP).with_suffix('').parts)}"), _layer(name))
        for file in sorted(APP.rglob("*.py"))
        if file.parent != APP or file.stem != "__init__"
        for name in _imported(ast.parse(file.read_text()))
    ]


def _imported(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "app":
            names += [f"app.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("app."):
            names.append(node.module)
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names if alias.name.startswith("app.")]
    return names


def _layer(module: str) -> str:
    parts = module.split(".")[1:]
    is_mouth = parts[:1] == ["notifications"] and parts[1:2] in (["pages"], ["api"])
    return ".".join(parts[:2]) if is_mouth else parts[0]
