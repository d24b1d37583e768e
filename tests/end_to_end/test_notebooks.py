"""The notebooks run from the first cell to the last."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.cli import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.slow  # real runs at sizes at which a reader sees something
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_pictures(path, tmp_path, monkeypatch):
    ours = [str(ROOT), str(ROOT / "experiments" / "python")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(ours))
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # outputs are not committed
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}, timeout=300).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in outputs)
