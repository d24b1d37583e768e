"""Things that a picture shows for sure, by ImageNet's classes for the whole picture."""

from __future__ import annotations

from torch import Tensor

from datamodules.models.cache import once_per_process

SURE = 0.04  # probability of a class, averaged over cells and scales, from which the thing is there
TRACE = 0.01  # probability of a class below which it does not count: there are over 100 dogs
KINDS = {  # ranges of ImageNet's classes whose breeds and species people call by one name
    "fish": range(7),
    "bird": (*range(7, 25), *range(80, 101), *range(127, 147)),
    "snake": range(52, 69),
    "spider": range(72, 78),
    "dog": range(151, 269),
    "cat": range(281, 286),
    "bear": range(294, 298),
    "insect": range(300, 321),
    "butterfly": range(321, 327),
    "monkey": range(369, 383),
}
CLOTHES = (
    *("suit", "military uniform", "sweatshirt", "T-shirt", "bow tie", "trench coat", "lab coat"),
    *("academic gown", "jeans", "sunglasses", "cowboy hat", "hair wig", "kimono", "abaya"),
    *("cardigan", "fur coat", "poncho", "sombrero", "balaclava ski mask", "bulletproof vest"),
    *("cloak", "neck brace", "crash helmet", "football helmet", "tights", "apron", "sarong"),
    *("swim trunks / shorts", "miniskirt", "bikini"),
)


@once_per_process
def classes_by_name() -> dict[str, list[int]]:
    """Classes by the plain name of the thing: a kind of animal, else the name of the class."""
    from open_clip import IMAGENET_CLASSNAMES

    kinds = {index: kind for kind, indices in KINDS.items() for index in indices}
    by_name: dict[str, list[int]] = {}
    for index, name in enumerate(IMAGENET_CLASSNAMES):
        by_name.setdefault(kinds.get(index, name), []).append(index)
    return by_name


@once_per_process
def clothes() -> list[int]:
    """Classes of clothes."""
    names = classes_by_name()
    return [index for name in CLOTHES for index in names[name]]


def likely_things(probabilities: Tensor) -> list[str]:
    """Names of the things that are likely by the probabilities (1000,), the surest first."""
    counted = probabilities * (probabilities >= TRACE)
    shares = {name: float(counted[k].sum()) for name, k in classes_by_name().items()}
    return sorted((name for name in shares if shares[name] >= SURE), key=lambda n: -shares[n])
