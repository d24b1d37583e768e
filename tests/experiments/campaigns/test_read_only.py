"""Folders of runs that cannot be written: one sentence."""

import os

import pytest

from tests.support.users import as_user, needs_root


@needs_root
@pytest.mark.parametrize("closed", ["out", "out/runs"])
def test_a_read_only_folder_of_runs_is_one_sentence(tmp_path, sweep, closed):
    path = sweep({"seed": [0]})
    (tmp_path / "out/runs").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "out", tmp_path / "out/runs"):
        folder.chmod(0o777)
    (tmp_path / closed).chmod(0o555)
    words = ["sweep", path, "--out", "out", "--serial", "--no-wandb", "--no-evaluate"]
    done = as_user(*words, cwd=tmp_path, ATELIER_CACHE=os.environ.get("ATELIER_CACHE"))
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("atelier: Cannot write out")
    assert "Permission denied" in line
