"""The work: which devices, which of their registers, how often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """`devices` of `groups` groups of `width` registers each, `stride` addresses from group to group.

    `interval` in seconds. `one_by_one`: an entry for each register, where the program polled knows no better.
    `delay`: seconds that a device takes to answer; `hung`: the device that never does. `longer`: how many
    times longer its window is than that of others, where little is done in a second.
    """

    name: str
    what: str
    devices: int
    groups: int
    width: int
    stride: int
    interval: float
    one_by_one: bool = False
    longer: int = 1
    delay: float = 0.0
    hung: int | None = None

    @property
    def tags(self) -> int:
        """Registers of one device that are read."""
        return self.groups * self.width

    @property
    def offered(self) -> float:
        """Values in a second, of the devices that answer."""
        return (self.devices - (self.hung is not None)) * self.tags / self.interval

    def blocks(self) -> Iterator[tuple[int, int]]:
        """First and last address of each group."""
        for group in range(self.groups):
            yield group * self.stride, group * self.stride + self.width - 1

    def addresses(self) -> list[int]:
        """Every register that is read, of each device."""
        return [address for first, last in self.blocks() for address in range(first, last + 1)]


W1 = Work("w1", "50 devices with 100 registers each, every 200 ms", 50, 1, 100, 100, 0.2)
W2 = Work("w2", "one device with 1,000 registers in 40 groups, every 200 ms", 1, 40, 25, 50, 0.2)
W3 = Work(
    "w3", "the same registers every second, an entry for each", 1, 40, 25, 50, 1.0, one_by_one=True, longer=4
)
W4 = Work(
    "w4", "as w1, answers after 5 ms, one device of the 50 hung", 50, 1, 100, 100, 0.2, delay=0.005, hung=25
)
