"""Blind and balanced pairs."""

from collections import Counter

import pytest
from PIL import Image

from datamodules.support.errors import AtelierError
from evaluation.study import pairs as pairing
from evaluation.study.runs import read_works
from tests.support.studies import make_run


def test_pairs_are_of_one_task_and_two_systems(study_runs):
    works = read_works([str(study_runs)])
    pairs = pairing.make_pairs(works)
    assert len(works) == 6
    assert len(pairs) == len({pair.id for pair in pairs}) == 6
    assert all(pair.a.task == pair.b.task and pair.a.system != pair.b.system for pair in pairs)
    assert [pair.id for pair in pairs] == sorted(pair.id for pair in pairs)


def test_pairs_hang_on_the_seed_and_not_on_the_order_of_the_runs(study_runs):
    works = read_works([str(study_runs)])
    pairs = pairing.make_pairs(works, 4, seed=1)
    assert pairing.make_pairs(works[::-1], 4, seed=1) == pairs
    assert pairing.make_pairs(works, 4, seed=2) != pairs


def test_another_object_style_photo_or_style_picture_is_another_task(tmp_path):
    make_run(tmp_path / "a", "One")
    Image.new("RGB", (40, 40), "red").save(tmp_path / "style.png")
    make_run(tmp_path / "b", "Two", style="snow")
    make_run(tmp_path / "c", "Two", style_image=str(tmp_path / "style.png"))
    make_run(tmp_path / "d", "Two", name="harbour")
    with pytest.raises(AtelierError, match="No two of the 4 runs"):
        pairing.make_pairs(read_works([str(tmp_path)]))
    make_run(tmp_path / "e", "Two", style=" Embers ")
    assert len(pairing.make_pairs(read_works([str(tmp_path)]))) == 1


def test_pairs_that_no_rater_can_tell_apart_are_left_out(tmp_path, caplog):
    for system in ("One", "Two", "Three"):
        make_run(tmp_path / system, system)
    with Image.open(tmp_path / "One" / "output.png") as output:
        output.point(lambda value: min(255, value + 2)).save(tmp_path / "Two" / "output.png")
    pairs = pairing.make_pairs(read_works([str(tmp_path)]))
    assert {frozenset((pair.a.system, pair.b.system)) for pair in pairs} == {
        frozenset(("One", "Three")),
        frozenset(("Two", "Three")),
    }
    assert "1 of 3 pairs are left out" in caplog.text
    with pytest.raises(AtelierError, match="All pairs show nearly the same picture"):
        pairing.make_pairs(read_works([str(tmp_path / "One"), str(tmp_path / "Two")]))


def test_a_name_on_the_command_line_wins_and_needs_no_result(tmp_path):
    one, other = (make_run(tmp_path / name, "Same", seed=i) for i, name in enumerate("ab"))
    with pytest.raises(AtelierError, match="different systems"):
        pairing.make_pairs(read_works([str(one), str(other)]))
    (other / "result.json").unlink()
    (other / "config.yaml").unlink()
    works = read_works([str(one), f"theirs={other}", str(one)])
    assert [work.system for work in works] == ["Same", "theirs"]
    with pytest.raises(AtelierError, match="NAME="):
        read_works([str(other)])


def test_few_pairs_are_balanced_over_systems_photos_and_sides(tmp_path):
    systems = [f"S{i}" for i in range(4)]
    for system in systems:
        for name in ("sea", "tower", "garden", "bicycle"):
            for seed in range(2):
                make_run(tmp_path / f"{system}-{name}-{seed}", system, name, seed=seed)
    works = read_works([str(tmp_path)])
    pairs = pairing.make_pairs(works, 24, seed=3)
    meetings = Counter(frozenset((pair.a.system, pair.b.system)) for pair in pairs)
    assert set(meetings.values()) == {4}
    assert set(Counter(pair.a.task for pair in pairs).values()) == {6}
    appearances = Counter(work for pair in pairs for work in (pair.a, pair.b))
    assert set(appearances) == set(works)
    left = Counter((pair.a.system, pair.b.system) for pair in pairs)
    assert set(left.values()) == {2}
    odd = pairing.make_pairs(works, 18, seed=3)
    net = Counter(pair.a.system for pair in odd)
    net.subtract(pair.b.system for pair in odd)
    assert max(map(abs, net.values())) <= 3
