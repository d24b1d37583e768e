"""A worker's share of a node."""

import pytest

from datamodules.support.errors import AtelierError
from experiments.campaigns.shares import Share, share_of


def processors(*numbers):
    return [{"CPU": float(number)} for number in numbers]


@pytest.mark.parametrize(
    ("nodes", "workers", "share"),
    [
        ((4,), 0, Share(1, cpus=4, threads=4)),
        ((2, 2, 2), 0, Share(3, cpus=2, threads=2)),
        ((2, 2, 2), 1, Share(1, cpus=2, threads=2)),  # no more than a node has
        ((2, 8), 0, Share(2, cpus=2, threads=2)),
        ((2, 8), 4, Share(4, cpus=2, threads=2)),  # one beside three
        ((2, 2, 2), 4, Share(4, cpus=1, threads=1)),
        ((2, 2), 8, Share(8, cpus=0.5, threads=1)),
        ((0, 2), 0, Share(1, cpus=2, threads=2)),  # a head without runs
    ],
)
def test_workers_share_the_processors_of_their_nodes(nodes, workers, share):
    assert share_of(processors(*nodes), workers) == share
    assert sum(int(number / share.cpus) for number in nodes) >= share.workers


@pytest.mark.parametrize(
    ("workers", "share"),
    [
        (0, Share(16, cpus=1, threads=2, gpus=1)),
        (1, Share(1, cpus=1, threads=2, gpus=1)),
        (16, Share(16, cpus=1, threads=2, gpus=1)),
        (20, Share(20, cpus=1, threads=1, gpus=0.5)),
        (64, Share(64, cpus=0.5, threads=1, gpus=0.25)),
    ],
)
def test_workers_share_gpus_where_there_are_any(workers, share):
    nodes = [{"CPU": 16.0, "GPU": 8.0}, {"CPU": 32.0, "GPU": 8.0}, {"CPU": 64.0}]
    assert share_of(nodes, workers) == share


def test_a_cluster_without_room_is_refused():
    with pytest.raises(AtelierError, match="No node of the Ray cluster has a processor or a GPU"):
        share_of([{"memory": 1e9}, {"CPU": 0.0}])
