"""Waits at the studio's page, in seconds, in headless Chromium on this machine.

From the command to the page; from the button to the first picture on the way (the usual method,
384 px), and from the last key to the picture of a method in one pass, each some times in a warm
server.

  python -m experiments.measure.studio_waits
"""

from __future__ import annotations

import statistics
import time

from selenium.webdriver import Keys

from experiments.measure.own_studio import own_studio
from experiments.measure.studio_page import Page, page_at

METHOD = "fast_clipstyler"
STYLES = ("a mosaic", "gold", "fire", "frost", "a watercolor painting")
PICTURE = "document.querySelector('#picture img')?.src"


def main() -> None:
    began = time.monotonic()
    with own_studio() as (_, url):
        ready = time.monotonic() - began
        with page_at(url) as page:
            page.choose_example()
            first = [_first_picture(page) for _ in range(3)]
            _choose(page, METHOD)
            answers = [_answer(page, f"Turn the cat to {style}") for style in STYLES]
    print(f"page       {ready:.1f} s after the command")
    print(f"preview    {_row(first)} after the button")
    print(f"one pass   {_row(answers)} after the last key ({METHOD})")


def _row(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} s (median; {min(seconds):.1f} to {max(seconds):.1f})"


def _first_picture(page: Page) -> float:
    """Seconds to a painting's first picture; the painting is then stopped."""
    before, began = page.js(f"return {PICTURE}"), time.monotonic()
    page.paint()
    page.wait(f"{PICTURE} && {PICTURE} !== {before!r}".replace("None", "null"))
    seconds = time.monotonic() - began
    page.js("document.getElementById('stop').click()")
    page.wait("document.getElementById('status').innerText.includes('time:')")
    return seconds


def _choose(page: Page, method: str) -> None:
    field = page.driver.find_element("css selector", "#method input")
    field.click()
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(method)
    time.sleep(0.5)
    field.send_keys(Keys.ENTER)


def _answer(page: Page, text: str) -> float:
    """Seconds from the last key to the picture."""
    before = page.js(f"return {PICTURE}")
    field = page.driver.find_element("css selector", "#instruction textarea, #instruction input")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text)
    began = time.monotonic()
    page.wait(f"{PICTURE} !== {before!r}")
    seconds = time.monotonic() - began
    page.wait("document.getElementById('status').innerText.includes('time:')")
    return seconds


if __name__ == "__main__":
    main()
