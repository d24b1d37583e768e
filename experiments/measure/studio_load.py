"""Studio under load: users who upload, read, find and paint, for some minutes, on this machine.

Each user is a session of its own. Prints what was made, how long it took, what went wrong, and the
memory of the server and its two processes at the beginning and at the end.

  python -m experiments.measure.studio_load --users 20 --minutes 3
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import secrets
import statistics
import time
from dataclasses import dataclass, field

import httpx
import psutil
from PIL import Image
from skimage import data

from experiments.measure.own_studio import own_studio

SIZE, STEPS = 64, 2
CALLS = ("upload", "parse", "find_mask", "stylize")


@dataclass
class Tally:
    """Seconds of each kind of call, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CALLS})
    errors: list[str] = field(default_factory=list)


class User:
    """A session that does the same again and again."""

    def __init__(self, url: str, photo: bytes, tally: Tally) -> None:
        headers = {"X-Atelier-Session": secrets.token_hex(16)}
        self.client = httpx.AsyncClient(base_url=url, headers=headers, timeout=300)
        self.photo, self.tally = photo, tally

    async def live(self, until: float) -> None:
        """Upload, read, find and paint, until the time is over."""
        async with self.client:
            while time.monotonic() < until:
                try:
                    await self._round()
                except (httpx.HTTPError, RuntimeError, ValueError) as error:
                    self.tally.errors.append(f"{type(error).__name__}: {error}")

    async def _round(self) -> None:
        await self._call("parse", "Turn the cat to fire")
        await self._call("find_mask", await self._upload(), "cat")
        picture = await self._upload()
        arguments = "Turn the cat to fire", "", "embedded", STEPS, 0, SIZE
        output, *_ = await self._call("stylize", picture, *arguments)
        answer = await self.client.get(f"/gradio_api/file={output['path']}")
        Image.open(io.BytesIO(answer.raise_for_status().content)).verify()

    async def _upload(self) -> dict:
        began = time.monotonic()
        files = {"files": ("cat.png", self.photo, "image/png")}
        answer = await self.client.post("/gradio_api/upload", files=files)
        self.tally.seconds["upload"].append(time.monotonic() - began)
        return {"path": answer.raise_for_status().json()[0], "meta": {"_type": "gradio.FileData"}}

    async def _call(self, name: str, *arguments: object) -> list:
        began, address = time.monotonic(), f"/gradio_api/call/{name}"
        answer = await self.client.post(address, json={"data": arguments})
        event = answer.raise_for_status().json()["event_id"]
        lines = (await self.client.get(f"{address}/{event}")).text.splitlines()
        if "event: complete" not in lines:
            raise RuntimeError(f"{name}: {lines[-2:]}")
        self.tally.seconds[name].append(time.monotonic() - began)
        return json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))


def photo() -> bytes:
    """A small picture of a cat, as PNG."""
    file = io.BytesIO()
    Image.fromarray(data.chelsea()).resize((192, 128)).save(file, "PNG")
    return file.getvalue()


def memory(server: psutil.Process) -> list[int]:
    """MB of the server and of its processes, the largest first."""
    processes = [server, *server.children()]
    return sorted((p.memory_info().rss // 2**20 for p in processes), reverse=True)


async def crowd(url: str, users: int, seconds: float) -> Tally:
    """Serve so many users at once; the tally of their calls."""
    tally, picture = Tally(), photo()
    await User(url, picture, tally).live(time.monotonic() + 1)  # networks are loaded after it
    tally = Tally()
    until = time.monotonic() + seconds
    await asyncio.gather(*(User(url, picture, tally).live(until) for _ in range(users)))
    return tally


def report(tally: Tally) -> None:
    """Print a row per kind of call."""
    for name, values in tally.seconds.items():
        slow = sorted(values)[int(0.95 * (len(values) - 1))] if values else 0
        middle = statistics.median(values) if values else 0
        print(f"{name:10} {len(values):5} calls, median {middle:5.1f} s, 95% within {slow:5.1f} s")
    print(f"errors     {len(tally.errors)}")
    for error in tally.errors[:5]:
        print(f"  {error[:200]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=3)
    args = parser.parse_args()
    with own_studio() as (pid, url):
        asyncio.run(crowd(url, 1, 1))
        before = memory(psutil.Process(pid))
        tally = asyncio.run(crowd(url, args.users, 60 * args.minutes))
        after = memory(psutil.Process(pid))
    report(tally)
    print(f"memory     {before} MB before, {after} MB after")


if __name__ == "__main__":
    main()
