"""BRISQUE: equal to piq on the same support vectors."""

from importlib import import_module

import pytest
import torch
from torch.nn import functional as F

from datamodules.support.errors import AtelierError
from evaluation.metrics.base import Pictures
from evaluation.metrics.brisque import BRISQUE

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def vectors():
    """Random coefficients and vectors as in piq's file, whose statistics are about in [-1, 1]."""
    generator = torch.Generator().manual_seed(0)
    coefficients = 100 * torch.randn(40, generator=generator)
    return coefficients, 2 * torch.rand(40, 36, generator=generator) - 1


@pytest.fixture
def file(vectors, tmp_path):
    torch.save(vectors, tmp_path / "brisque_svm_weights.pt")
    return str(tmp_path / "brisque_svm_weights.pt")


def scores(metric, pictures):
    size = (len(pictures), *pictures.shape[2:])
    (values,) = metric(Pictures(pictures, pictures, torch.ones(size))).values()
    return values


def test_brisque_is_piqs(pair, vectors, file, monkeypatch):
    import piq

    module = import_module("piq.brisque")  # the package's attribute of that name is the function
    monkeypatch.setattr(
        module, "load_url", lambda url, **options: [values.clone() for values in vectors]
    )
    pictures = torch.cat([pair[0][:1], pair[1][[0, 2]]])
    pictures = F.pad(pictures, (0, 1, 0, 1), mode="replicate")  # an odd size
    expected = piq.brisque(pictures, reduction="none")
    ours = scores(BRISQUE(file), pictures)
    torch.testing.assert_close(ours, expected, atol=1e-3, rtol=1e-5)
    assert expected.std() > 0.1  # else nothing is told


def test_a_file_with_a_column_of_coefficients_is_read_alike(photo, vectors, file, tmp_path):
    column = str(tmp_path / "column.pt")
    torch.save((vectors[0][:, None], vectors[1]), column)
    metric = BRISQUE(column)
    assert metric.column("brisque") == "brisque.column"
    assert torch.equal(scores(metric, photo), scores(BRISQUE(file), photo))


def test_a_picture_without_texture_has_no_value(file):
    with pytest.raises(AtelierError, match="BRISQUE has no value for a picture without texture"):
        scores(BRISQUE(file), torch.full((1, 3, 64, 64), 0.5))


@pytest.mark.parametrize(
    "content",
    [
        (torch.ones(3), torch.ones(4, 36)),
        (torch.ones(3), torch.ones(3, 35)),
        (torch.ones(3),),
        {"coefficients": torch.ones(3)},
    ],
)
def test_another_file_is_refused_in_one_sentence(content, tmp_path):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(
        AtelierError, match="is no checkpoint of BRISQUE's support vectors"
    ) as refusal:
        BRISQUE(str(tmp_path / "other.pt"))
    assert "\n" not in str(refusal.value)


def test_its_file_has_the_plain_name_where_piq_itself_keeps_it(vectors, tmp_path):
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(vectors, folder / "brisque_svm_weights.pt")
    assert BRISQUE().column("brisque") == "brisque"
