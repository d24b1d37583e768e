"""The form of a benchmark set's manifest, a YAML file in this folder (docs/benchmarks.md).

A set is of one of two kinds: pictures in styles, or instructions for parsers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from datamodules.support.errors import AtelierError
from datamodules.support.schema import Schema, Seed, Text, validate
from datamodules.support.yaml_files import read_yaml

UNKNOWN = "unknown"  # in place of a digest: the picture is identified by its name alone

Digest = Annotated[
    str,
    StringConstraints(pattern=rf"^([0-9a-f]{{64}}|{UNKNOWN})$"),
    Field(description=f"64 hexadecimal digits, or {UNKNOWN}"),
]
Texts = Annotated[list[Text], Field(description="a list of texts")]
OptionalTexts = Annotated[list[Text], Field(description="a list of texts", default_factory=list)]


class Picture(Schema):
    """One picture of a set.

    sha256:  digests by the names of the published file and its copies.
    skimage: the name under which scikit-image ships the picture, "" if it does not.
    object:  the object that takes the style, "" for the whole picture.
    ours:    why the picture is here if the paper does not have it.
    """

    sha256: Annotated[
        dict[Text, Digest],
        Field(
            min_length=1,
            description=f"a mapping of file names to 64 hexadecimal digits or {UNKNOWN}",
        ),
    ]
    source: Text
    licence: Text
    skimage: Text = ""
    object: Text = ""
    ours: Text = ""


class Style(Schema):
    """One style in which every picture is made. background_style: of all but the object."""

    style: Text
    seed: Seed
    background_style: Text = ""
    source: Text = ""
    ours: Text = ""


class ScoreTable(Schema):
    """A table of a paper: scores by their names, by methods."""

    source: Text
    note: Text = ""
    rows: Annotated[
        dict[Text, dict[Text, float]],
        Field(description="a mapping of methods to scores, each a number"),
    ]


class Published(Schema):
    """Numbers of papers: tables by their names, or `file`, the name of one elsewhere.

    file: in evaluation/published.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, ScoreTable]

    file: Text = ""

    @property
    def tables(self) -> dict[str, ScoreTable]:
        return self.__pydantic_extra__

    @model_validator(mode="after")
    def _file_or_tables(self) -> Published:
        if self.file and self.tables:
            raise ValueError(f"file excludes other keys; leave {', '.join(self.tables)} out")
        return self


OptionalPublished = Annotated[
    Published, Field(description="a mapping of tables, or {file: NAME}", default_factory=Published)
]


class PictureSet(Schema):
    """Pictures in styles, by several methods.

    source:  the paper and the place in it.
    methods: files in configs/methods that the paper compares and that exist here.
    models:  the usual preset of models, a file in configs/models; "" for the embedded one.
    ours:    the choices that are not the paper's.
    """

    title: Text
    source: Text
    methods: Texts
    models: Text = ""
    pictures: Annotated[
        dict[Text, Picture], Field(min_length=1, description="a mapping of pictures by name")
    ]
    styles: Annotated[list[Style], Field(min_length=1, description="a list of styles")]
    kind: Annotated[Literal["pictures"], Field(description="pictures or parsing")] = "pictures"
    ours: OptionalTexts
    published: OptionalPublished


class ParsingSet(Schema):
    """Instructions for parsers. instructions: a JSON-lines file beside the manifest."""

    title: Text
    source: Text
    instructions: Annotated[Text, Field(description="a JSON-lines file beside the manifest")]
    kind: Literal["parsing"]
    ours: OptionalTexts
    published: OptionalPublished


def read_manifest(path: Path) -> PictureSet | ParsingSet:
    """A manifest's content; AtelierError names the wrong key, its value and what is expected."""
    content = read_yaml(path, "manifest")
    parsing = isinstance(content, dict) and content.get("kind") == "parsing"
    manifest = validate(ParsingSet if parsing else PictureSet, content, str(path))
    if isinstance(manifest, ParsingSet) and not (path.parent / manifest.instructions).is_file():
        raise AtelierError(
            f'{path}: instructions is "{manifest.instructions}"; give a JSON-lines file beside the '
            "manifest"
        )
    return manifest
