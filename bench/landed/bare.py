"""The floor: a subscription with nothing but asyncua, which counts and stores nothing. SIGUSR1 prints the count."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.client.client import Client

_QUEUE, _SAMPLING = 10, ua.Double(50)  # as the agent asks: changes kept for each item, milliseconds


class Counter:
    """The handler of the subscription."""

    def __init__(self) -> None:
        self.count = 0

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        """Told by the library for each change."""
        self.count += 1


async def subscribe(endpoint: str, nodes: Sequence[str]) -> None:
    """Count until killed."""
    counter = Counter()
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, told.set)
    async with Client(endpoint, timeout=20) as client:
        subscription = await client.create_subscription(100, counter)
        wanted = [client.get_node(each) for each in nodes]
        await subscription.subscribe_data_change(wanted, queuesize=_QUEUE, sampling_interval=_SAMPLING)
        print("ready", flush=True)
        while True:
            await told.wait()
            told.clear()
            print(counter.count, flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(subscribe(sys.argv[1], [f"ns={sys.argv[2]};s=v{number}" for number in range(int(sys.argv[3]))]))
