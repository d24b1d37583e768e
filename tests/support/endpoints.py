"""Helpers of the tests of parsers api rules."""

import json

from tests.support.servers import completion

INSTRUCTION = "Turn the White Sailboat to the art on fire"


def answer(*targets):
    """The answer of a model that lists targets: object, style, and perhaps weight and "except"."""
    keys = ("object", "style", "weight", "except")
    listed = [dict(zip(keys, target, strict=False)) for target in targets]
    return 200, completion(json.dumps(listed))


GOOD = answer(("white sailboat", "ART ON FIRE", 1))
