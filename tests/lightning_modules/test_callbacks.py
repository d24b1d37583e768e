"""The files that a run leaves in its folder."""

from datamodules.run_folder import FULL
from lightning_modules import callbacks
from lightning_modules.callbacks import WriteRun
from tests.support.soulstyler import data, soulstyler


def test_a_full_picture_that_does_not_fit_into_memory_is_left_out_and_said(
    tmp_path, monkeypatch, caplog
):
    module = data(object="cat", style="fire", size=64, full_size=128)
    module.setup()
    assert module.full.content.shape == (3, 85, 128)
    method = soulstyler()
    method.generator.start(module.task.batch())
    folder = WriteRun(tmp_path, "name", module.task, "", full=module.full)
    monkeypatch.setattr(callbacks, "available", lambda device, limit: 85 * 128 * 100)
    folder._paint_full(method)
    assert "output_full.png is left out; give a smaller --full-size" in caplog.text
    assert not (tmp_path / FULL).exists()
    monkeypatch.setattr(callbacks, "available", lambda device, limit: 85 * 128 * 1000)
    folder._paint_full(method)
    assert (tmp_path / FULL).exists()
