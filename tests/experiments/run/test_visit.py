"""A call in another program's process leaves nothing behind."""

import os
import signal
import subprocess
import sys

import pytest

from experiments.run.visit import AtelierWarning, visit
from tests.support.cli import ROOT

SCRIPT = """
import sys
import atelier
assert atelier.parse("Turn the cat to fire", "rules")[0].style == "fire"
print(*sys.modules)
"""


def test_handlers_and_variables_are_as_before_and_warnings_come_once(monkeypatch):
    import logging

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)
    before = signal.getsignal(signal.SIGINT)
    with pytest.warns(AtelierWarning) as messages, pytest.raises(KeyboardInterrupt), visit():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.environ |= {"WANDB_MODE": "offline", "PL_GLOBAL_SEED": "0"}
        for _ in range(2):
            logging.getLogger("datamodules.parsing").warning("a doubt about %s", "the cat")
        logging.getLogger("lightning_modules").info("nothing to worry about")
        raise KeyboardInterrupt
    assert signal.getsignal(signal.SIGINT) is before
    assert os.environ["WANDB_MODE"] == "online" and "PL_GLOBAL_SEED" not in os.environ
    assert [str(warning.message) for warning in messages] == ["a doubt about the cat"]


def test_a_light_call_does_not_import_lightning():
    path = f"{ROOT}:{ROOT / 'experiments' / 'python'}"
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | {"PYTHONPATH": path},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "lightning" not in result.stdout.split()  # spaCy imports torch
