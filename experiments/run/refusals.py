"""Errors of jsonargparse and of constructors as one sentence for people."""

from __future__ import annotations

import re

from datamodules.support.errors import AtelierError, wrapped_error

NO_NETWORKS = (
    "The configuration of the method {name} names no networks; add --config "
    "configs/models/paper.yaml, or --config configs/models/embedded.yaml and --config "
    "configs/models/embedded/{name}.yaml"
)


def for_people(error: Exception) -> Exception:
    """One sentence on what is wrong with a setting, from an error of parser or constructor."""
    if sentence := wrapped_error(error):  # a constructor's own, wherever the parser has wrapped it
        return sentence
    if isinstance(error, ValueError):
        return error
    message = " ".join(str(error).split())
    # Of "none of these types fits: A because ..., None because ...", the reason for A.
    reason = re.search(r"Problem with given class_path '(.+?)': (.+?)(?: - Expected|$)", message)
    if reason is None:
        return AtelierError(message)
    path, words = reason.groups()
    if path.startswith("lightning_modules.") and re.search("required: .*encoder", words):
        return AtelierError(NO_NETWORKS.format(name=path.split(".")[1]))
    return AtelierError(f"{path}: {words}; see atelier fit --help")
