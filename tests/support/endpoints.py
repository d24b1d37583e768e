"""Helpers of the tests of parsers api rules."""

import json

from tests.support.servers import said

INSTRUCTION = "Turn the White Sailboat to the art on fire"


def answer(*targets):
    keys = ("object", "style", "weight")
    listed = [dict(zip(keys, target, strict=False)) for target in targets]
    return 200, said(json.dumps({"targets": listed}))


GOOD = answer(("white sailboat", "ART ON FIRE", 1))
