"""The studio's server in a process of its own, and a person at its page."""

import re
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from tests.support.cli import command, variables
from tests.support.processes import below

READY = 90  # s, on a machine that does other things as well


class Server:
    """A server of the page. folder: of its visitors; its stderr goes into a file beside it."""

    def __init__(self, folder, port=0):
        self.folder, self.errors = folder, folder.with_name("stderr")
        words = command("studio", "--folder", folder, "--port", port)
        with self.errors.open("w") as errors:
            pipes = {"stdout": subprocess.PIPE, "stderr": errors, "text": True}
            self.process = subprocess.Popen(words, env=variables(), **pipes)
        self.url = self.process.stdout.readline().strip()
        self.port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", self.url)[1])

    def runs(self):
        """Folders of finished runs of all visitors."""
        return [file.parent for file in self.folder.glob("*/run-*/result.json")]

    def end(self, number=signal.SIGTERM):
        """Send it a signal, and wait until all its processes have ended."""
        workers = below(self.process.pid)
        self.process.send_signal(number)
        self.process.wait(30)
        deadline = time.monotonic() + 20
        while any(_is_alive(pid) for pid in workers):
            assert time.monotonic() < deadline, "a process of the server outlives it"
            time.sleep(0.1)


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def serving(folder, port=0):
    """A server while the context lasts."""
    server = Server(folder, port)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end()


class Visitor:
    """The actions of a person at the page."""

    def __init__(self, driver, url):
        self.driver = driver
        driver.get(url)
        self.wait(lambda: self.find("#photo input[type=file]"), "the page is not there")

    def find(self, selector):
        found = self.driver.find_elements("css selector", selector)
        return found and found[0]

    def is_displayed(self, selector):
        element = self.find(selector)
        return element and element.is_displayed()

    def wait(self, condition, what, seconds=READY):
        from selenium.common.exceptions import StaleElementReferenceException

        deadline = time.monotonic() + seconds
        while True:
            try:
                if value := condition():
                    return value
            except StaleElementReferenceException:
                pass
            assert time.monotonic() < deadline, f"{what} in {self.text('main')!r}"
            time.sleep(0.1)

    def text(self, selector):
        return self.driver.execute_script(
            "return document.querySelector(arguments[0])?.innerText || ''", selector
        )

    def shows(self, selector, words):
        self.wait(lambda: words in self.text(selector), f"{selector} does not show {words!r}")

    def click(self, selector):
        """Click, wherever on the page it is."""
        self.driver.execute_script("document.querySelector(arguments[0]).click()", selector)

    def upload(self, file):
        self.find("#photo input[type=file]").send_keys(str(file))

    def write(self, selector, text):
        """Type into a field as it is on the page, in place of what it has."""
        from selenium.webdriver import Keys

        field = self.find(selector)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)
        field.send_keys(Keys.TAB)

    def paste(self, selector, text):
        """Put a text into a field at once, in place of what it has."""
        from selenium.webdriver import Keys

        self.find(selector).send_keys(Keys.CONTROL, "a")
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def settings(self, **values):
        """Open "More", and fill in some of its numbers."""
        for name, value in values.items():
            field = f"#{name} input"
            if not self.is_displayed(field):
                self.click("#more-settings button")
                self.wait(lambda field=field: self.is_displayed(field), f"no {name}")
            self.write(field, str(value))

    def choose_in_cell(self, row, words):
        """Choose in the menu of a row's first cell."""
        from selenium.webdriver import ActionChains

        menu = "[role=menuitem]"
        ActionChains(self.driver).context_click(self._cell((row, 0))).perform()
        self.wait(lambda: self.find(menu), "there is no menu")
        items = self.driver.find_elements("css selector", menu)
        assert not any("column" in item.text for item in items)
        next(item for item in items if item.text == words).click()

    def fill_cell(self, place, text):
        """Write into an empty cell (row, column) of the table."""
        from selenium.webdriver import ActionChains, Keys

        actions = ActionChains(self.driver).double_click(self._cell(place)).pause(0.2)
        actions.send_keys(text, Keys.ENTER).perform()

    def _cell(self, place):
        """A cell of the table, in the middle of the window."""
        name = "#rows [data-testid=cell-{}-{}]".format(*place)
        self.wait(lambda: self.find(name), f"no cell {place}")
        script = "arguments[0].scrollIntoView({block: 'center'})"
        self.driver.execute_script(script, self.find(name))
        return self.find(name)

    def pick(self, selector, words):
        """Choose in a list."""
        from selenium.webdriver import Keys

        field = self.find(f"{selector} input")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", field)
        field.click()
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(words, Keys.ENTER)

    def set_range(self, selector, value):
        """Move a slider of the mask's tools."""
        self.driver.execute_script(
            "document.querySelector(arguments[0]).value = arguments[1]", selector, value
        )

    def stroke(self, start, end):
        """Draw over the mask. start, end: places (x, y) in [0, 1] from its upper left corner."""
        from selenium.webdriver import ActionChains

        sheet = self.find(".mask-sheet")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", sheet)
        width, height = sheet.size["width"], sheet.size["height"]
        (x, y), (to_x, to_y) = (
            (round((x - 0.5) * width), round((y - 0.5) * height)) for x, y in (start, end)
        )
        actions = ActionChains(self.driver).move_to_element_with_offset(sheet, x, y)
        actions.click_and_hold().move_by_offset(to_x - x, to_y - y).release().perform()

    def requests(self):
        """Addresses that the page has asked for."""
        import json

        messages = (json.loads(e["message"])["message"] for e in self.driver.get_log("performance"))
        sent = (m for m in messages if m["method"] == "Network.requestWillBeSent")
        return {m["params"]["request"]["url"] for m in sent}
