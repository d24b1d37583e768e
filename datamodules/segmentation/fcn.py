"""The 20 classes of Pascal VOC by a fully convolutional network (Long et al. 2015).

Generative Artisan masks portraits with it: torchvision's FCN on ResNet-101, trained on the pictures
of COCO that show classes of VOC.
"""

from __future__ import annotations

import logging
import re
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.images import resize_mask
from datamodules.models.cache import once_per_process
from datamodules.models.catalogue import to_fetch
from datamodules.models.embedded_networks import imagenet_input
from datamodules.models.published import UNTRAINED, load_into, require
from datamodules.segmentation.base import ObjectNotFoundError, Segmenter
from datamodules.segmentation.operations.phrases import nested_phrases
from datamodules.vocabulary import FACES, PEOPLE

log = logging.getLogger(__name__)

INSTEAD = "the embedded datamodules.segmentation.bridge.BridgeSegmenter needs none"
LONGEST = 4  # times the shorter side; a longer picture is scaled down further, to bound memory

# Everyday words for the classes of VOC; plurals in -s and -es need no entry.
SYNONYMS = {
    "aeroplane": "plane airplane aircraft airliner jet",
    "bicycle": "bike cycle",
    "bird": "parrot eagle owl duck swan goose geese pigeon sparrow seagull gull chicken rooster",
    "boat": "ship sailboat sailing_ship yacht ferry canoe vessel",
    "bus": "coach minibus",
    "car": "automobile taxi cab van jeep",
    "cat": "kitten kitty kitties tabby",
    "chair": "armchair stool",
    "cow": "bull ox oxen calf calves cattle",
    "diningtable": "table dining_table desk",
    "dog": "puppy puppies hound terrier",
    "horse": "pony ponies foal mare stallion",
    "motorbike": "motor_bike motorcycle moped",
    "person": "driver rider baby babies ladies toddler player dancer human_being",
    "pottedplant": "plant potted_plant houseplant",
    "sheep": "lamb ewe",
    "sofa": "couch settee",
    "train": "locomotive tram",
    "tvmonitor": "tv television monitor screen tv_monitor",
}
# Words that mean a person unless the phrase names another class: "the portrait of a cat".
PORTRAITS = FACES | {"portrait", "selfie", "hair"}


class FCNSegmenter(Segmenter):
    """Segmenter of the VOC class that the phrase names.

    Args:
        weights: "torchvision:fcn_resnet101", the path of a file, or "untrained" for random weights
            (for timing).
        size: shorter side in px at which the network reads the picture.
    """

    def __init__(self, weights: str = "torchvision:fcn_resnet101", size: int = 520) -> None:
        self.weights = weights
        self.size = size

    @classmethod
    def weights_needed(cls, weights: str, size: int) -> list[str]:
        """Names of the published weights that these arguments need."""
        return to_fetch(weights)

    @cached_property
    def network(self) -> nn.Module:
        from torchvision.models.segmentation import fcn_resnet101

        # The published file contains the auxiliary head of the training, dropped after loading.
        network = fcn_resnet101(weights=None, weights_backbone=None, aux_loss=True)
        if self.weights == UNTRAINED:
            log.warning("FCN-ResNet101 is untrained: its masks are meaningless")
        else:
            path = require(self.weights, INSTEAD)
            load_into(network, path, "torchvision's fcn_resnet101")
        network.aux_classifier = None
        return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    @torch.no_grad()
    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.refuse_empty(phrase)
        name = voc_class(phrase)
        logits = self.network(imagenet_input(self._fit(content)[None]))["out"][0]
        mask = resize_mask(logits.softmax(0)[classes().index(name)], content.shape[1:])
        if float(mask.max()) <= 0.5:
            raise ObjectNotFoundError(
                f"No {name} was found in the picture by FCN-ResNet101; try another phrase or give "
                "--mask FILE"
            )
        return mask

    def _fit(self, content: Tensor) -> Tensor:
        """Resize a picture (3, H, W) to a shorter side of `size` px, as in training."""
        height, width = content.shape[1:]
        scale = self.size * min(1 / min(height, width), LONGEST / max(height, width))
        size = (max(1, int(height * scale)), max(1, int(width * scale)))
        scaled = F.interpolate(content[None], size, mode="bilinear", antialias=True)
        return scaled[0].clamp(0, 1)


@once_per_process
def classes() -> list[str]:
    """Names of the network's outputs: the background, then the 20 classes of VOC."""
    from torchvision.models.segmentation import FCN_ResNet101_Weights

    return FCN_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1.meta["categories"]


@once_per_process
def _names() -> dict[str, str]:
    """Class by name, a word or words joined by spaces."""
    words = {name: name for name in classes()[1:]}
    words |= {
        word.replace("_", " "): name for name, row in SYNONYMS.items() for word in row.split()
    }
    return words | dict.fromkeys(PEOPLE - PORTRAITS, "person")


def _classes_in(phrase: str, names: dict[str, str]) -> list[str]:
    """Classes named in a phrase by whole words, singular or plural, in the order of the phrase."""
    longest_first = "|".join(sorted(names, key=len, reverse=True))
    words = re.findall(rf"\b({longest_first})(?:s|(?<=[shx])es)?\b", phrase.lower())
    return [names[word] for word in words]


def voc_class(phrase: str) -> str:
    """Class of VOC that a phrase names: "the old woman" -> "person".

    The last name before a preposition counts ("a dog on a sofa"), else the first one after it ("a
    picture of a cat"). Raises ObjectNotFoundError if there is none.
    """
    whole, core, _ = nested_phrases(phrase)
    portraits = _classes_in(whole, dict.fromkeys(PORTRAITS, "person"))
    names = _classes_in(core, _names())[::-1] + _classes_in(whole, _names()) + portraits
    if not names:
        raise ObjectNotFoundError(
            f'"{phrase}" names no class of FCN-ResNet101; its classes are '
            f"{', '.join(classes()[1:])}; name one of these or choose another segmenter"
        )
    return names[0]
