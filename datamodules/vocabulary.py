"""English words in phrases: determiners, prepositions, places, numbers, sizes, colours and kinds of
objects.
"""

from __future__ import annotations

DETERMINERS = ("the", "a", "an", "this", "that", "his", "her", "its", "their", "my", "your")
# fmt: off
PREPOSITIONS = (  # and other words that end the name of an object
    "with", "in", "on", "at", "of", "by", "from", "to", "under", "over", "near", "behind",
    "beside", "between", "that", "which", "who", "and", "wearing", "holding", "riding", "floating",
    "standing", "sitting",
)
# fmt: on

# Directions (x, y) from the middle, with -1 at the left and upper edge and 1 at the right and
# lower one. At 2 half of the picture reaches the limit of 1: all of a side suits "on the left",
# not only its edge.
DIRECTIONS = {
    "left": (-2, 0),
    "right": (2, 0),
    "top": (0, -1),
    "upper": (0, -1),
    "bottom": (0, 1),
    "lower": (0, 1),
    "middle": (0, 0),
    "central": (0, 0),
    "center": (0, 0),
    "centre": (0, 0),
}

ORDINALS = (
    *("first", "second", "third", "fourth", "fifth"),
    *("sixth", "seventh", "eighth", "ninth", "tenth"),
)
COUNTS = {"one": 1, "both": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
SIZES = {  # 1: the largest comes first, -1: the smallest
    **dict.fromkeys(("largest", "larger", "biggest", "bigger"), 1),
    **dict.fromkeys(("smallest", "smaller"), -1),
}

COLORS = {  # typical sRGB values
    "red": (210, 35, 35),
    "orange": (240, 140, 30),
    "yellow": (240, 220, 40),
    "green": (40, 150, 60),
    "blue": (40, 80, 200),
    "purple": (130, 50, 160),
    "pink": (250, 150, 180),
    "brown": (120, 75, 40),
    "black": (15, 15, 15),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
}

FACES = {"face", "faces", "head", "heads"}
# fmt: off
PEOPLE = {
    "person", "people", "man", "men", "woman", "women", "girl", "girls", "boy", "boys", "child",
    "children", "lady", "guy", "portrait", "human", "astronaut", "bride", "actor", "actress",
    "singer", "king", "queen", "soldier",
}
# fmt: on

BACKDROPS = {"background", "backdrop"}
SKIES = {"sky", "skies"}
# fmt: off
WATERS = {"sea", "ocean", "water", "lake", "river", "pond", "pool"}
LANDS = {
    "grass", "lawn", "meadow", "field", "sand", "floor", "ground", "road", "street", "pavement",
}
FOLIAGE = {
    "tree", "trees", "leaf", "leaves", "foliage", "forest", "woods", "bush", "bushes", "hedge",
    "hedges", "shrubs", "plants", "ivy",
}
# fmt: on


def normalized(phrase: str) -> str:
    """Lower-case a phrase and spell its colours as COLORS does: "Gray cat" -> "grey cat"."""
    return phrase.lower().replace("gray", "grey")
