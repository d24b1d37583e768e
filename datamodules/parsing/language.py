"""The language of an instruction: the grammar reads English only."""

from __future__ import annotations

import re
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path

from datamodules.models.cache import once_per_process
from datamodules.parsing.lexicon import DETERMINERS, KEEP, PRONOUNS, VERBS
from datamodules.support.errors import AtelierError

LANGUAGES = {  # codes of spaCy, whose lists of frequent words are used
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
    "pl": "Polish",
    "sv": "Swedish",
}
_ENGLISH = frozenset().union(*VERBS.values(), KEEP, DETERMINERS, PRONOUNS) | {
    *("into", "to", "in", "of", "on", "for", "from", "with", "like", "as", "at", "by", "and", "or"),
    *("is", "are", "should", "style", "except", "but", "not"),
}
_ARTICLES = {  # which weigh twice, since a short instruction may have one and no other such word
    *(
        "der",
        "die",
        "das",
        "den",
        "dem",
        "ein",
        "eine",
        "le",
        "la",
        "les",
        "un",
        "une",
        "el",
        "los",
    ),
    *("o", "las", "una", "il", "lo", "gli", "het", "een", "det", "en", "ett", "os"),
}


def check_language(text: str) -> None:
    """Raise AtelierError for a text that is not English but in another language or script.

    Words in another language within an English sentence pass: "turn the cat to Die Brücke".
    """
    if language := _other_language(text):
        raise AtelierError(
            f"The instruction does not seem to be English (perhaps {language}); write it in "
            "English, or let a model read it: --parser api:NAME --base-url URL"
        )


def _other_language(text: str) -> str:
    """The name of the language, "" for English and for what cannot be told."""
    letters = [character for character in text if character.isalpha()]
    latin = sum(character.isascii() or "\u00c0" <= character < "\u0250" for character in letters)
    if len(letters) > 2 * latin:
        return "another script"
    text = re.sub(r"\b[a\u00e0] la\b", "", text)
    # Capitals begin names, apart from the first word if no other capital follows it.
    spoken = [
        word.lower()
        for word, after in pairwise([*re.findall(r"[^\W\d_]+", text), "x"])
        if word.islower() or (text.lstrip().startswith(word) and after.islower())
    ]
    english = sum(word in _ENGLISH for word in spoken)
    counts = {
        name: sum(1 + (word in _ARTICLES) for word in spoken if word in _frequent(code))
        for code, name in LANGUAGES.items()
    }
    likeliest = max(counts, key=counts.__getitem__)
    if counts[likeliest] > max(english, 1):
        return likeliest
    accents = any(not character.isascii() for character in letters)
    return "a language with accents" if accents and not english else ""


@once_per_process
def _frequent(code: str) -> frozenset[str]:
    """The frequent words of a language that are not also English words of instructions.

    The file alone is read: the language's package takes seconds to import (French 5 s).
    """
    (folder,) = find_spec(f"spacy.lang.{code}").submodule_search_locations
    name = f"spacy.lang.{code}.stop_words"
    spec = spec_from_file_location(name, Path(folder) / "stop_words.py")
    words = module_from_spec(spec)
    spec.loader.exec_module(words)
    return frozenset(words.STOP_WORDS) - _ENGLISH
