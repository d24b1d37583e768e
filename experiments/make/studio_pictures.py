"""Pictures of the studio's page for the documentation: at a desk, on a phone, and in the dark.

Starts a server, paints an example in headless Chromium, and writes docs/pictures/studio*.jpg.

  python -m experiments.make.studio_pictures
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from selenium import webdriver

from experiments.measure.own_studio import own_studio

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
FLAGS = "headless no-sandbox disable-gpu disable-background-networking hide-scrollbars"
VIEWS = {"studio": (1440, False), "studio-phone": (390, False), "studio-dark": (1440, True)}
PATIENCE = 300  # s


def main() -> None:
    with own_studio() as (_, url):
        for name, (width, dark) in VIEWS.items():
            picture = Image.open(io.BytesIO(_page(url, width, dark))).convert("RGB")
            picture.save(PICTURES / f"{name}.jpg", quality=85)
            print(PICTURES / f"{name}.jpg")


def _page(url: str, width: int, dark: bool) -> bytes:
    """The whole page once the first example is painted, as PNG."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS.split():
        options.add_argument(f"--{flag}")
    if dark:
        options.add_argument("--blink-settings=preferredColorScheme=0")
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        _resize(driver, width, 900)
        driver.get(url)
        _wait(lambda: _js(driver, "return document.querySelector('#examples button')"))
        _wait(lambda: _choose(driver))
        _wait(lambda: _js(driver, "return document.querySelector('.mask-ready')"))
        _js(driver, "document.getElementById('paint').click()")
        _wait(lambda: "time:" in _js(driver, "return document.getElementById('status').innerText"))
        _resize(driver, width, _js(driver, "return document.documentElement.scrollHeight"))
        time.sleep(2)  # until the browser has drawn it
        return driver.get_screenshot_as_png()
    finally:
        driver.quit()


def _choose(driver: webdriver.Chrome) -> object:
    """Click the first example, which the page takes once all of it has begun to work."""
    _js(driver, "document.querySelector('#examples button').click()")
    time.sleep(5)
    return _js(driver, "return document.querySelector('#photo img')")


def _resize(driver: webdriver.Chrome, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def _js(driver: webdriver.Chrome, script: str) -> object:
    return driver.execute_script(script)


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.5)


if __name__ == "__main__":
    main()
