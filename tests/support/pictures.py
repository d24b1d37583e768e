"""Pictures that several tests use, as fixtures: `mask`, `content`, `left` and `output`.

`pixels` reads what is in a file, whatever its metadata say.
"""

import numpy as np
import pytest
from PIL import Image


def pixels(path):
    """Mode, size and values of a picture."""
    with Image.open(path) as picture:
        return picture.mode, picture.size, picture.tobytes()


@pytest.fixture(scope="session")
def mask(tmp_path_factory):
    """A disc in the middle of a picture with the proportions of scikit-image's chelsea."""
    y, x = np.mgrid[:300, :451]
    disc = (np.hypot(y - 150, x - 225) < 100).astype(np.uint8) * 255
    path = tmp_path_factory.mktemp("masks") / "mask.png"
    Image.fromarray(disc).save(path)
    return path


@pytest.fixture(scope="session")
def content():
    """A photo of a cat (3, 64, 96)."""
    from datamodules.images import fit_within, load_picture, to_tensor

    return to_tensor(fit_within(load_picture("skimage:chelsea"), 96))


@pytest.fixture(scope="session")
def left(content):
    """A mask (64, 96): 1 on the left half."""
    import torch

    mask = torch.zeros(content.shape[1:])
    mask[:, :48] = 1
    return mask


@pytest.fixture(scope="session")
def output(content):
    """The photo with noise, as a batch (1, 3, 64, 96)."""
    import torch

    torch.manual_seed(3)
    return (content + 0.3 * torch.randn(content.shape)).clamp(0, 1)[None]
