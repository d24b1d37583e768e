"""The page of a study."""

import base64
import io
import re

import pytest
from PIL import Image

from datamodules.support.errors import AtelierError
from evaluation.study import pairs as pairing
from evaluation.study.answer_key import read_key
from evaluation.study.page import write_study
from evaluation.study.runs import read_works
from evaluation.study.votes import VoteStore
from tests.support.studies import SYSTEMS, make_run, picture


def test_the_page_names_nobody_and_loads_nothing(study, study_runs):
    page = (study / "index.html").read_text()
    key = (study / "study.json").read_text()
    names = [*SYSTEMS, *(run.name for run in study_runs.iterdir()), str(study_runs), "result.json"]
    for name in names:
        assert name.lower() not in page.lower()
    assert all(name in key for name in SYSTEMS)
    assert not re.search(r'(src|href)="(?!data:)|https?://|@import|url\(', page)
    assert "default-src 'none'" in page  # which the browser obeys
    pictures = re.findall(r"data:image/jpeg;base64,([\w+/=]+)", page)
    assert len(pictures) == 2 + 6  # each photo and each output once
    for encoded in pictures:
        data = base64.b64decode(encoded)
        assert not any(system.encode() in data for system in SYSTEMS)
        image = Image.open(io.BytesIO(data))
        assert not image.getexif()
        assert "comment" not in image.info


def test_words_cannot_break_out_of_the_page(tmp_path):
    evil = "</script><script>alert(1)</script>"
    for system in ("One", "Two"):
        make_run(tmp_path / system, system, style=evil)
    write_study(pairing.make_pairs(read_works([str(tmp_path)])), tmp_path / "study", seed=0)
    page = (tmp_path / "study/index.html").read_text()
    assert evil not in page
    assert page.count("<script") == page.count("</script>") == 2


def test_outputs_are_shown_at_the_photos_size_or_refused(tmp_path):
    for system in ("One", "Two"):
        make_run(tmp_path / system, system)
    picture((128, 96), [9]).save(tmp_path / "One/output.png")
    pairs = pairing.make_pairs(read_works([str(tmp_path)]))
    write_study(pairs, tmp_path / "study", seed=0)
    encoded = re.findall(r"base64,([\w+/=]+)", (tmp_path / "study/index.html").read_text())
    assert {Image.open(io.BytesIO(base64.b64decode(e))).size for e in encoded} == {(64, 48)}
    picture((64, 64), [9]).save(tmp_path / "One/output.png")
    with pytest.raises(AtelierError, match="64x64"):
        read_works([str(tmp_path)])


def test_a_study_with_votes_is_not_replaced_by_another(study, study_runs):
    key = read_key(study)
    VoteStore(study / "votes.sqlite", key.study).close()
    works = read_works([str(study_runs)])
    write_study(pairing.make_pairs(works), study, seed=0)  # the same again is welcome
    with pytest.raises(AtelierError, match="another study"):
        write_study(pairing.make_pairs(works, 3), study, seed=0)
    assert read_key(study) == key
