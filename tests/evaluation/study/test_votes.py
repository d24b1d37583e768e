"""Votes that are not lost."""

import json

import pytest

from datamodules.support.errors import AtelierError
from evaluation.study.answer_key import read_key
from evaluation.study.votes import Vote, VoteStore, read_file


def test_one_vote_per_rater_pair_and_question_survives_reopening(tmp_path):
    store = VoteStore(tmp_path / "votes.sqlite", "s")
    store.put(Vote("anna", "p", "style", "A"))
    store.put(Vote("anna", "p", "photo", "same"))
    store.put(Vote("bert", "p", "style", "B"))
    store.put(Vote("anna", "p", "style", "B"))
    store.close()
    store = VoteStore(tmp_path / "votes.sqlite", "s")
    assert store.votes("anna") == [
        Vote("anna", "p", "photo", "same"),
        Vote("anna", "p", "style", "B"),
    ]
    assert len(store.votes()) == 3
    store.close()
    with pytest.raises(AtelierError, match="another study"):
        VoteStore(tmp_path / "votes.sqlite", "t")
    (tmp_path / "other").write_text("not a database, but a text that is long enough")
    with pytest.raises(AtelierError, match="cannot be used"):
        VoteStore(tmp_path / "other", "s")


def test_downloaded_votes_are_checked(study):
    key = read_key(study)
    pair, path = next(iter(key.pairs)), study.parent / "votes.json"
    vote = {"pair": pair, "question": "style", "answer": "A"}
    path.write_text(json.dumps({"study": key.study, "rater": "anna", "votes": [vote]}))
    assert read_file(path, key) == [Vote("anna", pair, "style", "A")]
    path.write_text(json.dumps({"study": "other", "rater": "anna", "votes": [vote]}))
    with pytest.raises(AtelierError, match="another study"):
        read_file(path, key)
    bad = vote | {"answer": "C"}
    path.write_text(json.dumps({"study": key.study, "rater": "anna", "votes": [bad]}))
    with pytest.raises(AtelierError, match='answer is "C"; give A or B or same'):
        read_file(path, key)
    path.write_text("[]")
    with pytest.raises(AtelierError, match="not a file of votes"):
        read_file(path, key)
