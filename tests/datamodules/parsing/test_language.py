"""Instructions in other languages."""

import sys

import pytest

from datamodules.parsing.language import LANGUAGES, check_language
from datamodules.support.errors import AtelierError


@pytest.mark.parametrize(
    "instruction",
    [
        "Mach die Katze zu Feuer",
        "Transforme le chat en feu",
        "Convierte el gato en fuego",
        "\u628a\u732b\u53d8\u6210\u706b",
        "Alles au\u00dfer dem Hund soll wie ein Aquarell aussehen",
        "Trasforma il gatto in fuoco",
    ],
)
def test_another_language_is_refused_with_the_way_out(instruction):
    with pytest.raises(AtelierError, match=r"does not seem to be English .*--parser api:NAME"):
        check_language(instruction)


@pytest.mark.parametrize(
    "instruction",
    [
        "Turn the cat to Die Br\u00fccke",
        "the gorilla a la Rousseau",
        "La Grande Jatte for the sea",
        "red car -> Andy Warhol",
        "ukiyo-e",
    ],
)
def test_foreign_names_in_an_english_sentence_pass(instruction):
    check_language(instruction)


def test_no_other_language_is_imported_which_takes_seconds():
    check_language("Turn the cat into a mosaic")
    assert not {f"spacy.lang.{code}" for code in LANGUAGES} & set(sys.modules)
