"""Counters and timings, for Prometheus to fetch at /metrics.

The processes of one machine share a folder of counters, so that any of them can answer for all,
the worker included.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
FAN_OUT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)


def share(data_dir: Path) -> None:
    """Called once by each process, before it counts anything; removes the files of dead processes."""
    folder = data_dir / "metrics"
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            file.unlink(missing_ok=True)
    os.environ[FOLDER] = str(folder)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Metrics:
    """Created on first use, because the library looks for the shared folder when it is imported."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = own = CollectorRegistry()
        self.requests = Histogram(
            "clippyfront_request_seconds",
            "Time to answer, by route.",
            ["method", "route", "status"],
            registry=own,
            buckets=REQUEST_BUCKETS,
        )
        self.streams = Gauge(
            "clippyfront_open_streams",
            "Live streams open now.",
            registry=own,
            multiprocess_mode="livesum",
        )
        self.fan_out = Histogram(
            "clippyfront_fan_out_seconds",
            "Time to write the rows of one event for all recipients.",
            ["type"],
            registry=own,
            buckets=FAN_OUT_BUCKETS,
        )
        self.deliveries = Counter(
            "clippyfront_deliveries",
            "Deliveries attempted, by outcome.",
            ["channel", "outcome"],
            registry=own,
        )


@cache
def _metrics() -> _Metrics:
    return _Metrics()


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    _metrics().requests.labels(method, route, str(status)).observe(seconds)


def count_stream(change: int) -> None:
    _metrics().streams.inc(change)


def count_deliveries(channel: str, outcome: str, count: int) -> None:
    _metrics().deliveries.labels(channel, outcome).inc(count)


@contextmanager
def timing_fan_out(type: str) -> Iterator[None]:
    begun = perf_counter()
    yield
    _metrics().fan_out.labels(type).observe(perf_counter() - begun)


@dataclass(frozen=True)
class Reading:
    """A gauge that is read on demand; `values` maps the labels' values to a number."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


def exposition(readings: Sequence[Reading]) -> bytes:
    """All metrics in Prometheus' text format, including `readings`."""
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess

    registry: Any = _metrics().registry
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    present = CollectorRegistry()
    present.register(_Readings(readings))
    return generate_latest(registry) + generate_latest(present)


class _Readings:
    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        for reading in self._readings:
            family = GaugeMetricFamily(reading.name, reading.help, labels=reading.labels)
            for labels, value in reading.values.items():
                family.add_metric(labels, value)
            yield family
