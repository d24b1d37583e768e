"""Ends of sentences about an unknown name: what there is, and what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 40  # names that a sentence lists


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """ "; did you mean NEAREST?", or "" where no name is near."""
    nearest = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def there_are(name: str, names: Iterable[str]) -> str:
    """ "; there are A, B, C; did you mean B?", with at most MOST names."""
    names = list(names)
    more = ", ..." if len(names) > MOST else ""
    return f"; there are {', '.join(names[:MOST])}{more}{did_you_mean(name, names)}"
