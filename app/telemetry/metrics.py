"""Counters and timings, for Prometheus to fetch at /metrics.

Each process counts in its own memory, and tells the others of this machine over a Unix socket, so
that any of them can answer for all, the worker included. The library's own way, a file mapped into
memory, ends the process with SIGBUS when the disk is full.
"""

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from secrets import token_hex
from threading import Thread
from time import perf_counter, sleep
from typing import Any

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
FAN_OUT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
PEER_SECONDS = 2.0
# After a connection could not be accepted, before the next attempt.
PAUSE_SECONDS = 1.0

_log = logging.getLogger(__name__)


def share(directory: Path) -> None:
    """Called once by each process: from here on it answers for its counters in `directory`.

    `directory` is private to this user. A process that cannot bind a socket there counts for itself.
    """
    address = directory / token_hex(4)
    try:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(address))
        listening.listen()
    except OSError as error:
        _log.warning("The other processes cannot read this one's metrics: %s", error)
        return
    _metrics().peers, _metrics().address = directory, address
    # A thread, so that a busy event loop does not look like a process that has died.
    Thread(target=_answer_forever, args=(listening,), name="metrics", daemon=True).start()


def _answer_forever(listening: socket.socket) -> None:
    """Goes on after a failure: a lack of file descriptors, for one, passes."""
    while True:
        try:
            peer, _address = listening.accept()
        except OSError as error:
            _log.warning("Another process cannot read this one's metrics: %s", error)
            sleep(PAUSE_SECONDS)
            continue
        with peer, suppress(OSError):
            peer.settimeout(PEER_SECONDS)
            peer.sendall(_own())


class _Metrics:
    """Created on first use, because importing the library takes a while.

    `peers` is the directory of the sockets of all processes, `address` this process's own socket.
    """

    def __init__(self) -> None:
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
            disable_created_metrics,
        )

        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.peers: Path | None = None
        self.address = Path()
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
    _timer(method, route, status).observe(seconds)


@cache
def _timer(method: str, route: str, status: int) -> Any:
    """Cached, because the library looks it up under a lock. It keeps as many of them, as long."""
    return _metrics().requests.labels(method, route, str(status))


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
    """All metrics in Prometheus' text format, including `readings`. Waits for other processes."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Sum([_own(), *_others()]))
    registry.register(_Readings(readings))
    return generate_latest(registry)


def _own() -> bytes:
    from prometheus_client import generate_latest

    return generate_latest(_metrics().registry)


def _others() -> Iterator[bytes]:
    """What the other processes count. The sockets of dead ones are removed."""
    own = _metrics()
    names = os.listdir(own.peers) if own.peers else []
    for path in (own.address.with_name(name) for name in names):
        if path != own.address:
            try:
                yield _read(path)
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError as error:
                _log.warning("The metrics of another process are missing: %s", error)


def _read(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(PEER_SECONDS)
        peer.connect(str(path))
        return b"".join(iter(lambda: peer.recv(65_536), b""))


class _Sum:
    """Adds up the samples of several expositions that have the same name and labels."""

    def __init__(self, expositions: Iterable[bytes]) -> None:
        self._expositions = expositions

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import Metric
        from prometheus_client.parser import text_string_to_metric_families

        totals: dict[str, tuple[Any, dict[tuple[str, frozenset[Any]], float]]] = {}
        for text in self._expositions:
            for family in text_string_to_metric_families(text.decode()):
                _family, sums = totals.setdefault(family.name, (family, {}))
                for sample in family.samples:
                    key = sample.name, frozenset(sample.labels.items())
                    sums[key] = sums.get(key, 0.0) + sample.value
        for family, sums in totals.values():
            total = Metric(family.name, family.documentation, family.type)
            for (name, labels), value in sums.items():
                total.add_sample(name, dict(sorted(labels)), value)
            yield total


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
