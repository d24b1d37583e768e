"""The files that a run leaves in its folder."""

from datamodules.run_folder import FULL
from lightning_modules.steps import memory
from lightning_modules.steps.memory import paint_full
from tests.support.soulstyler import data, soulstyler


def test_a_full_picture_that_does_not_fit_into_memory_is_left_out_and_said(monkeypatch, caplog):
    module = data(object="cat", style="fire", size=64, full_size=128)
    module.setup()
    assert module.full.content.shape == (3, 85, 128)
    method = soulstyler()
    method.generator.start(module.task.batch())
    monkeypatch.setattr(memory, "available", lambda device, limit: 85 * 128 * 10)
    assert paint_full(method, module.full, FULL) is None
    assert "output_full.png is left out; give a smaller --full-size" in caplog.text
    monkeypatch.setattr(memory, "available", lambda device, limit: 85 * 128 * 1000)
    assert paint_full(method, module.full, FULL).shape == (3, 85, 128)
