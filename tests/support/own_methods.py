"""A method as a user writes it, in a folder that nobody installs (fixture `own_method`)."""

import sys
from importlib import invalidate_caches
from types import SimpleNamespace

import pytest

from experiments.run.own_code import forget

SOURCE = '''
"""Plain: the whole picture moves towards the style."""

from lightning_modules.losses.directional import directional_loss
from lightning_modules.stylization import Stylization


class Plain(Stylization):
    """The direction of the style, and nothing else."""

    def __init__(self, gain: float = 1.0, **settings) -> None:
        super().__init__(**settings)
        self.gain = gain

    def prepare(self, batch):
        super().prepare(batch)
        (self.direction,) = self.directions_of(batch)

    def views(self, output, batch):
        return self.viewer.view(output)

    def losses(self, output, features, batch):
        losses = directional_loss(features.embeddings, self.content_embedding, self.direction)
        return {"global": self.gain * losses.mean()}
'''
YAML = """# Plain: nothing but the direction.
model:
  class_path: MODULE.Plain
  init_args:
    weights: {global: 1}
data:
  segmenter: {class_path: datamodules.segmentation.whole.WholePicture}
"""


@pytest.fixture
def own_method(tmp_path, monkeypatch):
    """The method in the test's folder `own`: its name, class path, folder, files; `write` changes
    its source.
    """
    name, folder = f"own_{tmp_path.name}", tmp_path / "own"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path])
    source, file = folder / f"{name}.py", folder / f"{name}.yaml"

    def write(old="", new=""):
        source.write_text(SOURCE.replace(old, new) if old else SOURCE)
        invalidate_caches()

    write()
    file.write_text(YAML.replace("MODULE", name))
    yield SimpleNamespace(
        name=name, path=f"{name}.Plain", folder=folder, source=source, file=file, write=write
    )
    sys.modules.pop(name, None)
    monkeypatch.undo()
    forget()
