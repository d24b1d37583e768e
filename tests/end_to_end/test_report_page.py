"""A report in a real browser."""

import json
import time

import pytest

from evaluation.report.write import write_report
from tests.support.reports import EVIL


class Reader:
    """The actions of a person at the page."""

    def __init__(self, driver):
        self.driver = driver

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def js(self, script, *values):
        return self.driver.execute_script(script, *values)

    def wait(self, condition, what):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, f"{what}; {self.driver.get_log('browser')}"
            time.sleep(0.02)

    def press(self, keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(keys).perform()

    def screen(self, width, height, scheme):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def requests(self):
        """Addresses of everything that the browser has asked for since the last call."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        traffic = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in traffic]


ARROW_RIGHT, ESCAPE, TAB = "\ue014", "\ue00c", "\ue004"


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_a_report_in_a_real_browser(browser, report_runs, tmp_path):
    """From disk: filters, a run by keyboard, plots, dark and narrow; nothing else is asked for."""
    page = write_report(report_runs, tmp_path / "report", EVIL)
    reader = Reader(browser)
    reader.screen(1280, 900, "light")
    reader.requests()
    browser.get(page.as_uri())
    assert browser.title == EVIL
    assert reader.find("#count").text == "11 pictures"
    assert len(reader.all(".card img[loading=lazy][width][height]")) == 11
    assert "onerror" not in reader.js("return [...document.images].map(i => i.outerHTML).join()")
    filter_the_cards(reader)
    open_a_run(reader)
    follow_an_address(reader, page)
    look_at_the_plots(reader)
    read_in_the_dark_on_a_phone(reader)
    # Requests of the new tab page are the browser's own.
    schemes = {url.partition(":")[0] for url in reader.requests()} - {"chrome", "data"}
    assert schemes == {"file"}
    assert browser.get_log("browser") == []


def filter_the_cards(reader):
    reader.find("#search").send_keys("boat sem-cs")
    reader.wait(lambda: reader.find("#count").text.startswith("5 of 11"), "no search")
    reader.find("#count .link").click()
    facet = '.facet[data-name="model.tau"]'
    reader.find(f"{facet} summary").send_keys("\n")
    reader.find(f'{facet} input[value="0.7"]').send_keys(" ")
    assert reader.find("#count").text.startswith("4 of 11")
    assert "f.model.tau=0.7" in reader.driver.current_url
    reader.press(ESCAPE)
    assert reader.js("return document.activeElement.parentElement.dataset.name") == "model.tau"
    assert not reader.find(f"{facet} fieldset").is_displayed()
    reader.js("arguments[0].value = 'leakage down'; arguments[0].onchange()", reader.find("#sort"))
    values = [float(v.text.split("leakage ")[1]) for v in reader.all(".card .value")]
    assert values == sorted(values, reverse=True)


def open_a_run(reader):
    reader.find(".card").send_keys("\n")
    reader.wait(lambda: reader.all("#tell pre"), "no details")
    assert reader.js("return document.activeElement.id") == "split"
    reader.press(ARROW_RIGHT * 5)
    assert reader.js("return getComputedStyle(slide).getPropertyValue('--at')") == "55%"
    assert reader.js("return [...slide.querySelectorAll('img')].every(i => i.naturalWidth == 128)")
    reader.press("m")
    assert reader.find("#slide .over").get_attribute("alt").startswith("The mask")
    first = reader.find("#run-count").text
    reader.press("n")
    reader.wait(lambda: "2 of 4" in reader.find("#run-count").text, f"still {first}")
    reader.wait(lambda: reader.all("#tell pre"), "no details")
    reader.js("document.querySelector('.config').open = true")
    assert "seed_everything" in reader.find(".config pre").text
    assert "atelier stylize lagoon.png" in reader.find("#tell .command code").text
    reader.find("#tell .command .copy").click()
    reader.wait(lambda: reader.find("#tell .command .copy").text == "Copied", "not copied")
    assert len(reader.all("#losses svg")) == 1
    for _ in range(15):
        reader.press(TAB)
        assert reader.js("return document.querySelector('dialog').contains(document.activeElement)")
    close_the_run(reader)


def close_the_run(reader):
    """And wait until its card has the focus, because the page scrolls there."""
    reader.press(ESCAPE)
    focused = "return document.activeElement.className"
    reader.wait(lambda: reader.js(focused) == "card", "the card has no focus")
    assert not reader.find("#run").is_displayed()


def follow_an_address(reader, page):
    """A run's own address opens it, with a style that would like to be markup."""
    reader.driver.get("about:blank")
    reader.driver.get(f"{page.as_uri()}#gallery?run=deep%2F{3:016x}")
    reader.wait(lambda: reader.find("#run").is_displayed(), "not opened")
    reader.wait(lambda: reader.all("#tell pre"), "no details")
    assert reader.find("#run-title").text == f"boat → {EVIL}"
    close_the_run(reader)


def look_at_the_plots(reader):
    reader.js("document.getElementById('tradeoff').scrollIntoView()")
    reader.wait(lambda: reader.all("#points .point"), "no points")
    assert len(reader.all("#points .point")) == 11
    reader.wait(lambda: len(reader.all("#panels .main-svg")) >= 2, "no curves")
    assert "paper: t = 0.7" in reader.find("#panels").text
    reader.find("#tradeoff .legend button").send_keys("\n")
    reader.wait(lambda: len(reader.all("#points .point")) < 11, "the legend does nothing")
    reader.find("#tradeoff .legend button").send_keys("\n")
    reader.js("document.querySelector('#points').emit('plotly_click', {points: [{customdata: 0}]})")
    reader.wait(lambda: reader.find("#run").is_displayed(), "a point opens nothing")
    close_the_run(reader)


def read_in_the_dark_on_a_phone(reader):
    def colour():
        return reader.js("return getComputedStyle(document.documentElement).backgroundColor")

    light = colour()
    reader.screen(390, 844, "dark")
    reader.wait(lambda: colour() != light, "it stays light")
    for number in range(len(reader.all("details"))):
        reader.js("document.querySelectorAll('details')[arguments[0]].open = true", number)
    wide = "return document.documentElement.scrollWidth"
    assert reader.js(wide) == 390
    reader.js("document.querySelector('.card').click()")
    reader.wait(lambda: reader.all("#tell pre"), "no details")
    assert reader.js("return document.querySelector('.inside').scrollWidth") <= 390
    assert reader.js(wide) == 390
