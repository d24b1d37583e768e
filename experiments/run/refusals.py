"""Errors of jsonargparse and of constructors as one sentence for people."""

from __future__ import annotations

import re
from pkgutil import resolve_name

from datamodules.support.errors import AtelierError, refused_class, wrapped_error
from datamodules.support.own_classes import refuse_abstract

NO_NETWORKS = (
    "The configuration of the method {name} names no networks; add --config "
    "configs/models/paper.yaml, or --config configs/models/embedded.yaml and --config "
    "configs/models/embedded/{name}.yaml"
)
OWN_WITHOUT_NETWORKS = (
    "The configuration of {name} names no networks; add --config configs/models/embedded.yaml, or "
    "start it by atelier stylize --method, which adds them"
)


def for_people(error: Exception) -> Exception:
    """One sentence on what is wrong with a setting, from an error of parser or constructor.

    Raises it itself for a class that lacks functions.
    """
    if sentence := wrapped_error(error):  # a constructor's own, wherever the parser has wrapped it
        return sentence
    if isinstance(error, ValueError):
        return error
    message = " ".join(str(error).split())
    if abstract := re.search(r"instantiatable class, but (\S+) is abstract", message):
        refuse_abstract(resolve_name(abstract[1]))
    if foreign := re.search(r"path (\S+) does not correspond to a subclass of (\w+)", message):
        path, base = foreign.groups()
        return AtelierError(f"{path} is no {base}; give a class that is derived from {base}")
    refused = refused_class(message)
    if refused is None:
        return AtelierError(message)
    path, words = refused
    if re.search("required: .*encoder", words):
        ours = path.startswith("lightning_modules.")
        sentence = NO_NETWORKS if ours else OWN_WITHOUT_NETWORKS
        return AtelierError(sentence.format(name=path.split(".")[1]))
    return AtelierError(f"{path}: {words}; see atelier fit --help")
