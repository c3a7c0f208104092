"""Time zones by their IANA names, and the time zone of the server."""

from datetime import datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


def zone(name: str) -> ZoneInfo:
    """The zone with this name; UTC for "" and for names unknown to this machine."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def server_zone(name: str) -> tzinfo:
    """The zone of the server, for nightly jobs: the setting `TZ`, else the system's zone."""
    try:
        return ZoneInfo(name or "localtime")
    except (KeyError, ValueError, OSError):
        return datetime.now().astimezone().tzinfo or ZoneInfo("UTC")


@cache
def zone_names() -> frozenset[str]:
    """Every zone that a user may choose."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def zones_by_region() -> list[tuple[str, list[tuple[str, str]]]]:
    """(region, [(name, city)]) for a select. Zones outside a region come last, under ""."""
    regions: dict[str, list[tuple[str, str]]] = {region: [] for region in (*REGIONS, "")}
    for name in sorted(zone_names()):
        region, _slash, city = name.partition("/")
        if region in REGIONS:
            regions[region].append((name, city.replace("_", " ").replace("/", ", ")))
        else:
            regions[""].append((name, name.replace("_", " ")))
    return list(regions.items())
