"""Agreement of a test with recorded numbers, noted for docs/fidelity.md."""

import pytest
import torch

from tests.golden.parity.published import largest_difference


@pytest.fixture
def agree(request, record_property):
    """A function that compares two tensors or numbers and notes their largest difference.

    For tests marked `parity`; `python -m experiments.make.fidelity_page` collects the notes.
    """
    assert request.node.get_closest_marker("parity")

    def check(ours, theirs, within):
        difference = largest_difference(torch.as_tensor(ours), torch.as_tensor(theirs))
        record_property("difference", difference)
        assert difference <= within

    return check
