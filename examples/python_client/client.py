"""A client on asyncio that serves a thermometer and calls `collect`. Against a real relay: `python client.py MULTIADDR`."""

import asyncio
import sys

import main

from runtime.client import CallFailed
from runtime.client.aio import connect

READINGS = {"kitchen": 21.5, "cellar": 12.0}


class Sensor:
    """What Aqua calls; plain methods or `async` ones."""

    async def read(self, place: str) -> main.Reading:
        await asyncio.sleep(0)
        if place not in READINGS:
            raise LookupError(f"no thermometer in the {place}")
        return main.Reading(place=place, celsius=READINGS[place])


async def run(relay: str) -> None:
    async with connect(relay) as client:
        with main.register_sensor(client, Sensor()):
            seen: list[str] = []  # in the order in which the thermometers answer
            title, readings = await main.collect(client, list(READINGS), lambda reading: seen.append(reading.place))
            print("seen:", *sorted(seen))
            print(title)
            for reading in sorted(readings, key=lambda reading: reading.celsius):
                print(f"  {reading.place}: {reading.celsius}")
            try:
                await main.only(client, "attic")
            except CallFailed as error:
                print("failed:", type(error).__name__, "at", error.source)


asyncio.run(run(sys.argv[1] if len(sys.argv) > 1 else "local"))
