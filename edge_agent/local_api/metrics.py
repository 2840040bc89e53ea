"""How the agent is doing, as text for Prometheus.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4). Written here
because the official library keeps its figures in globals of its own and takes a tenth of the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from edge_agent.store.commit_times import BOUNDS
from edge_agent.views.status import Health

MEDIA = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


def metrics(health: Health, now: datetime) -> str:
    """All figures. Ages are in seconds; a device that never answered has no time of its last good value."""
    return "".join(_families(health, now))


def _families(health: Health, now: datetime) -> Iterator[str]:
    oldest = (now - health.oldest_unsent).total_seconds() if health.oldest_unsent else 0.0
    yield _family("info", "Which agent this is", [({"agent": health.agent, "version": health.version}, 1)])
    yield _family("healthy", "1: nothing needs a person", [({}, health.ok)])
    yield _family("start_time_seconds", "When the agent began", [({}, health.started_at.timestamp())])
    yield _family("facts_safe_total", "Facts that are safe on this PC", [({}, health.safe_seq)], "counter")
    yield _family("queue_facts", "Facts that the ERP has not decided", [({}, health.unsent)])
    yield _family("queue_age_seconds", "Age of the oldest of them", [({}, max(oldest, 0.0))])
    yield _family("parked_facts", "Facts that the ERP refused, and what waits behind them", [({}, health.parked_count)])
    yield _family(
        "link_up", "1: the other side of a connector answers",
        [({"connector": link.name}, link.state == "up") for link in health.links],
    )  # fmt: skip
    yield _family(
        "device_up", "1: a device answers",
        [({"device": device.name}, device.state == "online") for device in health.devices],
    )  # fmt: skip
    yield _family(
        "device_last_good_time_seconds", "When a device last gave a good value",
        [({"device": d.name}, d.last_good.timestamp()) for d in health.devices if d.last_good],
    )  # fmt: skip
    yield _family("clock_trusted", "1: the clock of this PC is believed", [({}, health.clock_trusted)])
    yield _family("disk_free_bytes", "Room left on the disk of the journal", [({}, health.disk_free)])
    yield _family("mirror_behind", "1: the second copy of the facts can not be written", [({}, health.mirror_behind)])
    yield _family("incidents", "Databases that were mended, until somebody acknowledges it", [({}, health.incidents)])
    yield _family("journal_damaged", "1: the next start has to mend the journal", [({}, bool(health.damage))])
    yield _family("database_readable", "1: the database answers; else its figures are old", [({}, health.readable)])
    yield _commits(health)


def _commits(health: Health) -> str:
    """How long commits took, mirror included, as a histogram."""
    name, seen, lines = "floorhand_commit_seconds", 0, []
    bounds = (*map(repr, BOUNDS), "+Inf")
    for bound, count in zip(bounds, health.commits.counts, strict=True):
        seen += count
        lines.append(f'{name}_bucket{{le="{bound}"}} {seen}\n')
    head = f"# HELP {name} How long a commit takes, with the second copy\n# TYPE {name} histogram\n"
    return head + "".join(lines) + f"{name}_sum {health.commits.seconds!r}\n{name}_count {seen}\n"


def _family(name: str, help: str, samples: list[tuple[Labels, float]], kind: str = "gauge") -> str:
    name = f"floorhand_{name}"
    lines = [f"# HELP {name} {help}\n", f"# TYPE {name} {kind}\n"]
    for labels, value in samples:
        lines.append(f"{name}{_labels(labels)} {float(value)!r}\n")
    return "".join(lines)


def _labels(labels: Labels) -> str:
    """The labels of a sample; names of devices are anything that a person wrote.

    >>> _labels({"device": 'a "b"'})
    '{device="a \\\\"b\\\\""}'
    """
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
