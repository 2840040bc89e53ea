"""What Prometheus gets: read by its own parser, and the same as health says."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from edge_agent.local_api.metrics import metrics
from edge_agent.store.commit_times import BOUNDS, CommitTimes
from edge_agent.views.status import DeviceStatus, Health, LinkStatus
from edge_agent.views.upkeep import Commits
from tests.agent.person import Person, everything_sent
from tests.agent.running import Plant, ask
from tests.support.manual_clock import START

Sample = tuple[str, tuple[tuple[str, str], ...]]


def parsed(text: str) -> dict[Sample, float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def health(name: str = "press") -> Health:
    return Health(
        ok=False, agent="a", version="1", started_at=START, clock_trusted=True, safe_seq=12, unsent=3,
        oldest_unsent=START - timedelta(seconds=90), parked_count=2,
        links=(LinkStatus(name="erp", state="down"),),
        devices=(
            DeviceStatus(
                name=name, driver="modbus", equipment="", since=START, state="online", last_good=START
            ),
        ),
        disk_free=2**33,
        commits=Commits((0,) * (len(BOUNDS) + 1)),
    )  # fmt: skip


def test_the_figures_are_those_of_health() -> None:
    found = parsed(metrics(health(), START))
    assert found["floorhand_queue_facts", ()] == 3
    assert found["floorhand_queue_age_seconds", ()] == 90
    assert found["floorhand_parked_facts", ()] == 2
    assert found["floorhand_link_up", (("connector", "erp"),)] == 0
    assert found["floorhand_device_last_good_time_seconds", (("device", "press"),)] == START.timestamp()
    assert found["floorhand_disk_free_bytes", ()] == 2**33
    assert found["floorhand_clock_trusted", ()] == 1
    assert found["floorhand_healthy", ()] == 0


@given(st.text(max_size=30).filter(lambda text: not set(text) & set("\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))
def test_any_name_of_a_device_comes_out_as_it_is(name: str) -> None:
    found = parsed(metrics(health(name), START))
    assert ("floorhand_device_up", (("device", name),)) in found


def test_commits_fall_into_their_steps() -> None:
    times = CommitTimes()
    for seconds in (0.0005, 0.001, 0.003, 9.0):
        times.took(seconds)
    assert times.counts[0] == 2
    assert times.counts[2] == 1
    assert times.counts[-1] == 1


async def test_a_running_agent_tells_them(plant: Plant, person: Person) -> None:
    await person.sign_on()
    await everything_sent(person.agent)
    status, body = ask(plant.agent.socket, "GET", "/metrics")
    assert status == 200
    found = parsed(body.decode())
    assert found["floorhand_facts_safe_total", ()] >= 1
    assert found["floorhand_commit_seconds_count", ()] >= 1
    assert found["floorhand_commit_seconds_bucket", (("le", "+Inf"),)] == found["floorhand_commit_seconds_count", ()]
    assert found["floorhand_disk_free_bytes", ()] > 0
    assert found["floorhand_link_up", (("connector", "erp"),)] == 1
