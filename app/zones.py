"""Time zones by their IANA names: which there are, and what a stored name means."""

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
    """The zone of that name; UTC for none, and for one that this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


@cache
def zone_names() -> frozenset[str]:
    """Every zone a person may choose."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def zones_by_region() -> list[tuple[str, list[tuple[str, str]]]]:
    """For a select: (region, [(name, place)]); what lies in no region comes last, under ""."""
    regions: dict[str, list[tuple[str, str]]] = {region: [] for region in (*REGIONS, "")}
    for name in sorted(zone_names()):
        region, _slash, place = name.partition("/")
        if region in REGIONS:
            regions[region].append((name, place.replace("_", " ").replace("/", ", ")))
        else:
            regions[""].append((name, name.replace("_", " ")))
    return list(regions.items())
