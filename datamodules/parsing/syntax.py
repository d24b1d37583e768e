"""Syntax trees of English sentences, by spaCy's small pipeline.

Titles in quotes and blends of styles would mislead the pipeline, which reads them as words of the
sentence. So each takes part in it as one invented name, and comes back as it was written wherever
a text is taken from the tree.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datamodules.models.cache import once_per_process

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_PART = r"-?[\d.]+\s*[*\u00d7]\s*[^+;,]+?"
BLEND = re.compile(  # "0.7*Van Gogh + 0.3*Hokusai"
    rf"{_PART}(?:\s*\+\s*{_PART})+(?=\s*(?:$|[,;.!?]|\band\b|\bwhile\b|\bbut\b))"
)
QUOTE = re.compile(
    r"\"([^\"]+)\"|\u201c([^\u201d]+)\u201d|\u201e([^\u201c\u201d]+)[\u201c\u201d]"
    r"|\u00ab([^\u00bb]+)\u00bb|\u2018([^\u2018\u2019]+)\u2019(?!\w)"
    r"|(?<![\w'])'(?!s\b)([^'\"]+?(?:'\w+[^'\"]*?)?)'(?!\w)"
)
NAMES = ("Zeldoria", "Quarnovia", "Belkoria", "Merdonia", "Tarvonia", "Olvenia", "Pelgoria")


@once_per_process
def pipeline() -> Language:
    """The tagger, the parser and the lemmatizer; "ukiyo-e" is one word.

    Raises AtelierError if a file of the pipeline is missing or altered.
    """
    import spacy

    from datamodules.models.packaged import ENGLISH, locate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # W095: the pipeline was packed by an earlier spaCy
        english = spacy.load(locate(ENGLISH), exclude=["ner"])
    infixes = [infix for infix in english.Defaults.infixes if "-|" not in infix]
    english.tokenizer.infix_finditer = spacy.util.compile_infix_regex(infixes).finditer
    return english


def tree(text: str) -> Doc:
    """The syntax tree of a text."""
    return pipeline()(text)


@dataclass(frozen=True)
class Text:
    """An instruction in which titles and blends are replaced by invented names.

    originals: what each invented name stands for.
    """

    text: str
    originals: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, instruction: str) -> Text:
        """The text of an instruction as a person wrote it."""
        originals: dict[str, str] = {}

        def replace(match: re.Match[str]) -> str:
            if len(originals) == len(NAMES):
                return match[0]
            name = NAMES[len(originals)]
            originals[name] = next((part for part in match.groups() if part), match[0]).strip()
            return name

        return cls(BLEND.sub(replace, QUOTE.sub(replace, instruction)), originals)

    def as_written(self, text: str) -> str:
        """A part of the text with titles and blends as they were written."""
        for name, original in self.originals.items():
            text = text.replace(name, original)
        return " ".join(text.split())
