"""The studio's page in headless Chromium, for measurements and pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from selenium import webdriver

FLAGS = "headless no-sandbox disable-gpu disable-background-networking hide-scrollbars"
PATIENCE = 300  # s


class Page:
    """A page in a browser. driver: of the browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def js(self, script: str) -> Any:
        """The value of a script's `return`."""
        return self.driver.execute_script(script)

    def wait(self, script: str) -> None:
        """Wait until an expression in JavaScript is true; TimeoutError after PATIENCE."""
        deadline = time.monotonic() + PATIENCE
        while not self.js(f"return {script}"):
            if time.monotonic() > deadline:
                raise TimeoutError(script)
            time.sleep(0.02)

    def resize(self, width: int, height: int) -> None:
        """Set the window's size in px; a narrow one is a telephone's."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def choose_example(self) -> None:
        """Click the first example until the page, which may still be loading, takes it."""
        self.wait("document.querySelector('#examples button')")
        while not self.js("return document.querySelector('#photo img')"):
            self.js("document.querySelector('#examples button').click()")
            time.sleep(5)
        self.wait("document.querySelector('.mask-ready')")

    def paint(self) -> None:
        """Press the button."""
        self.js("document.getElementById('paint').click()")


@contextmanager
def page_at(url: str, width: int = 1440, dark: bool = False) -> Iterator[Page]:
    """The page at an address, in a browser that ends with the block."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS.split():
        options.add_argument(f"--{flag}")
    if dark:
        options.add_argument("--blink-settings=preferredColorScheme=0")
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        page = Page(driver)
        page.resize(width, 900)
        driver.get(url)
        yield page
    finally:
        driver.quit()
