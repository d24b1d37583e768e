"""A study in a real browser."""

import json
import re
import sqlite3
import time
from collections import Counter

import pytest

from evaluation.study.answer_key import read_key
from evaluation.study.votes import QUESTIONS, read_file
from experiments.cli import main


class Rater:
    """The actions of a person at the page."""

    def __init__(self, driver):
        self.driver = driver

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def wait(self, condition, what):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, f"{what}; {self.driver.get_log('browser')}"
            time.sleep(0.02)

    def shows(self, selector, text):
        self.wait(lambda: self.find(selector).text == text, f"{selector} is not {text!r}")

    def click(self, selector):
        self.find(selector).click()

    def answer(self, question, answer):
        self.click(f"#question-{question} button[data-answer={answer}]")

    def press(self, keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(keys).perform()

    @property
    def pair(self):
        return self.driver.execute_script("return order[at].id")

    def pressed(self):
        buttons = self.driver.find_elements("css selector", ".answers button[aria-pressed=true]")
        return [button.get_attribute("data-answer") for button in buttons]


def votes_of(study):
    with sqlite3.connect(study / "votes.sqlite") as file:
        rows = file.execute("SELECT pair, question, answer FROM votes").fetchall()
    return {(pair, question): answer for pair, question, answer in rows}


def begin(rater, url, code):
    """Past the welcome page, and that what it shows is whole."""
    rater.driver.get(url)
    assert "6 pairs" in rater.find("#welcome").text
    box = rater.find("#code")
    assert re.fullmatch("[a-z0-9]{4}-[a-z0-9]{4}", box.get_attribute("value"))
    box.clear()
    box.send_keys("?\n")
    assert "4 to 40 letters" in rater.find("#problem").text
    box.clear()
    box.send_keys(code)
    rater.click("#start")
    rater.shows("#count", "1 of 6")
    images = rater.driver.find_elements("css selector", "#stage img")
    assert [i.get_attribute("alt") for i in images] == ["The photo", "Picture A", "Picture B"]
    assert all(int(i.get_attribute("naturalWidth")) in (48, 64) for i in images)
    assert re.search(r"the (lagoon|chimney) as: embers", rater.find("#wish").text)


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_a_rater_votes_in_a_real_browser(browser, served_study, study, capsys):
    """By mouse and by keyboard, with a reload, a change of mind and a server that goes away."""
    rater, votes = Rater(browser), {}
    begin(rater, served_study.url, "Anna-1")
    assert not rater.find("#next").is_enabled()
    rater.answer("style", "A")
    rater.answer("photo", "same")
    votes |= {(rater.pair, "style"): "A", (rater.pair, "photo"): "same"}
    rater.click("#next")
    rater.shows("#count", "2 of 6")
    votes |= {(rater.pair, "style"): "B", (rater.pair, "photo"): "A"}
    rater.press("ba\n")
    rater.shows("#count", "3 of 6")
    votes[rater.pair, "style"] = "same"
    rater.press("n")
    rater.shows("#state", "Saved")
    assert votes_of(study) == votes

    third = rater.pair
    browser.refresh()
    rater.shows("#count", "3 of 6")
    assert (rater.pair, rater.pressed()) == (third, ["same"])
    votes[third, "photo"] = "B"
    rater.press("b\ue003")  # and Backspace: back to the second pair
    rater.shows("#count", "2 of 6")
    assert rater.pressed() == ["B", "A"]
    rater.answer("style", "same")
    votes[rater.pair, "style"] = "same"
    rater.click("figure.A .pic")
    assert rater.find("#zoom img").get_attribute("alt") == "Picture A"
    rater.press("\ue014\ue014a")  # right, right, and a letter that is no vote in here
    assert rater.find("#zoom img").get_attribute("alt") == "The photo"
    rater.press("\ue00c")  # Escape
    assert rater.pressed() == ["same", "A"]

    # Another device, that is another browser without memory: the server knows how far one is.
    rater.shows("#state", "Saved")
    browser.execute_script("localStorage.clear()")
    browser.refresh()
    assert rater.find("#code").get_attribute("value") != "anna-1"
    rater.find("#code").clear()
    rater.find("#code").send_keys("anna-1\n")
    rater.shows("#count", "4 of 6")
    finish_while_the_disk_fails(rater, served_study, votes)
    assert votes_of(study) == votes
    assert {v.rater for v in served_study.store.votes()} == {"anna-1"}
    assert main(["study", "score", str(study), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["raters"], result["votes"]) == (1, 12)
    for question in QUESTIONS:
        ties = [answer for (_, q), answer in votes.items() if q == question].count("same")
        assert sum(row["ties"] for row in result["questions"][question]) == 2 * ties
        assert sum(row["wins"] for row in result["questions"][question]) == 6 - ties
    assert not [line for line in browser.get_log("browser") if "500" not in line["message"]]


def finish_while_the_disk_fails(rater, served_study, votes):
    """The last three pairs; votes that the server cannot keep are kept here, and sent again."""
    real_put, served_study.store.put = served_study.store.put, failing
    for _ in range(3):
        votes |= {(rater.pair, "style"): "A", (rater.pair, "photo"): "B"}
        rater.press("ab\n")
    rater.shows("#count", "Done")
    rater.wait(lambda: "Not saved (6)" in rater.find("#state").text, "the failure is not said")
    assert "6 answers have not reached" in rater.find("#done").text
    served_study.store.put = real_put
    rater.shows("#state", "Saved")
    assert "You can close this page" in rater.find("#done").text


def failing(vote):
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_the_page_alone_gives_a_file_of_votes(browser, study, tmp_path, capsys):
    rater = Rater(browser)
    begin(rater, (study / "index.html").as_uri(), "bert-2")
    order = browser.execute_script("return order.map(pair => pair.id)")
    other = browser.execute_script("return shuffled(study.pairs, 'carl-3').map(pair => pair.id)")
    assert sorted(order) == sorted(other) == sorted(read_key(study).pairs)
    assert order != other
    rater.press("ab\n")
    rater.shows("#state", "Saved in this browser")
    browser.refresh()
    rater.shows("#count", "2 of 6")
    assert browser.execute_script("return order.map(pair => pair.id)") == order
    for _ in range(5):
        rater.press("ab\n")
    assert "only in this browser" in rater.find("#done").text
    rater.click("#download")
    file = tmp_path / "votes-bert-2.json"
    rater.wait(lambda: file.exists() and file.stat().st_size, "no file is downloaded")
    votes = read_file(file, read_key(study))
    assert Counter((v.question, v.answer) for v in votes) == {("style", "A"): 6, ("photo", "B"): 6}
    assert not (study / "votes.sqlite").exists()
    assert main(["study", "score", str(study), str(file)]) == 0
    assert "12 votes of 1 rater." in capsys.readouterr().out
