"""Agreement with recorded numbers, noted for docs/fidelity.md."""

import pytest
import torch

from tests.golden.parity.published import largest_difference


@pytest.fixture
def agree(record_property):
    """A function that compares two tensors or numbers and notes their largest difference."""

    def check(ours, theirs, within):
        difference = largest_difference(torch.as_tensor(ours), torch.as_tensor(theirs))
        record_property("difference", difference)
        record_property("within", within)
        assert difference <= within

    return check


@pytest.fixture(autouse=True)
def noted(request, record_property):
    """Every test here says which item of docs/fidelity.md it proves."""
    marker = request.node.get_closest_marker("parity")
    assert marker, "a test of parity needs @pytest.mark.parity(ITEM), an item of items.yaml"
    record_property("item", marker.args[0])
