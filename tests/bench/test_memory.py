"""Memory over a day of a plant, in small: it is worked, and memory that grows is seen."""

from __future__ import annotations

import pytest

from bench.memory import Day, measure
from tests.agent.running import short_folder


async def test_minutes_of_a_plant_are_worked_and_their_memory_is_watched() -> None:
    with short_folder() as folder:
        told = {each.name: each.value for each in await measure(folder, 2)}
    assert (told["memory_minutes"], told["memory_inputs"], told["memory_plans"]) == (2, 24, 2)
    assert told["memory_samples"] > 100
    assert 20 < told["memory_warm"] < 200
    assert abs(told["memory_growth"]) < 20, "in so few minutes caches still fill; the soak asks for 10 over a day"


@pytest.mark.parametrize(
    ("resident", "growth"),
    [
        ([10.0, 40.0, 50.0, 50.0, 50.0, 50.0, 50.0, 55.0], 10),  # the first quarter is for warming up
        ([50.0] * 8, 0),
        ([10.0 * n for n in range(1, 9)], 100),
    ],
)
def test_what_grows_behind_the_warming_up_is_seen(resident: list[float], growth: float) -> None:
    assert Day(resident=resident).growth == pytest.approx(growth)
