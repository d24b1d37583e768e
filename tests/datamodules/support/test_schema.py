"""The check of files that people write."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from datamodules.support.errors import AtelierError
from datamodules.support.schema import Schema, Seed, Text, validate
from datamodules.support.yaml_files import read_yaml


class Boat(Schema):
    name: Text
    seed: Seed = 0
    sails: list[Text] = Field(default_factory=list)
    kind: Literal["sloop", "ketch"] = "sloop"
    length: float = 1.0
    new: bool = False


class Harbour(Schema):
    boats: Annotated[list[Boat], Field(min_length=1, description="a list of boats")]
    berths: dict[Text, Boat] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _room(self):
        if len(self.boats) > 2:
            raise ValueError("there is room for two; leave one out")
        return self


def harbour(**boat):
    return {"boats": [{"name": "Ida"}, {"name": "Ada", **boat}]}


def test_a_right_value_is_an_instance():
    assert validate(Harbour, harbour(seed=3), "harbour.yaml").boats[1].seed == 3


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([1], "f: [1] is no mapping; give the keys boats, berths"),
        (None, "f: null is no mapping; give the keys boats, berths"),
        ({}, "f: the key boats is missing; give a list of boats"),
        (
            {"boat": [], "berths": {}},
            "f: there is no key 'boat', only boats, berths; did you mean",
        ),
        ({"boats": []}, "f: boats is []; give a list of boats"),
        ({"boats": ["Ida"]}, 'f, boats[1]: "Ida" is no mapping; give the keys name, seed, sails'),
        (harbour(seed=-1), "f, boats[2]: seed is -1; give a whole number, 0 or more"),
        (harbour(seed=True), "f, boats[2]: seed is true; give a whole number, 0 or more"),
        (harbour(name=" "), 'f, boats[2]: name is " "; give a text'),
        (harbour(sails=["jib", 2]), "f, boats[2]: sails[2] is 2; give a text"),
        (harbour(sails="jib"), 'f, boats[2]: sails is "jib"; give a list'),
        (harbour(kind="yawl"), 'f, boats[2]: kind is "yawl"; give sloop or ketch'),
        (harbour(length="9"), 'f, boats[2]: length is "9"; give a number'),
        (harbour(length=float("nan")), "f, boats[2]: length is NaN; give a number"),
        (harbour(new=1), "f, boats[2]: new is 1; give true or false"),
        (harbour(masts=1), "f, boats[2]: there is no key 'masts', only name, seed, sails"),
        (harbour() | {"berths": {7: {}}}, "f, berths: the key 7 is no text; put it in quotes"),
        (harbour() | {"berths": {"x": {}}}, "f, berths.x: the key name is missing; give a text"),
        ({"boats": 3 * harbour()["boats"]}, "f: there is room for two; leave one out"),
        (harbour(name="x" * 300) | {"berths": "y" * 300}, 'f: berths is "yyy'),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(value, sentence):
    with pytest.raises(AtelierError) as refusal:
        validate(Harbour, value, "f")
    assert str(refusal.value).startswith(sentence)
    assert len(str(refusal.value)) < 200 and "\n" not in str(refusal.value)


def test_a_file_that_is_no_yaml_is_refused_with_its_line(tmp_path):
    path = tmp_path / "x.yaml"
    with pytest.raises(AtelierError, match=r"There is no sweep at .*x\.yaml; check the path"):
        read_yaml(path, "sweep")
    for text, sentence in (
        ("a: 1\na: 2", "line 1: the sweep cannot be read .*the key 'a' is there twice"),
        ("a: [1", "line 1: the sweep cannot be read"),
    ):
        path.write_text(text)
        with pytest.raises(AtelierError, match=sentence):
            read_yaml(path, "sweep")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(AtelierError, match=r"x\.yaml: the sweep cannot be read"):
        read_yaml(path, "sweep")
