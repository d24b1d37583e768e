"""CLIPstyler, ablation: what each part of the method brings.

The paper asks 20 raters for their preference, 1 to 5; ours are scores by another encoder.
Paper's form: --models paper, 512 px, 200 steps, CLIP ViT-B/32, VGG-19, 40 s on an RTX 2080
Ti. Reduced form: embedded models, two pictures of scikit-image, three seeds, 256 px, 40 steps, two
processor cores, about 25 min. Its threshold is 0.8, because in so few steps no augmented patch
passes the paper's 0.7.
"""

from experiments.reproduce.base import Study, main

FIXED = {"method": "clipstyler", "style": "mosaic"}
PARTS = {
    "full": ({}, "3.92"),
    "no augmentation": ({"model.patches.distortion": 0}, "2.61"),
    "no threshold": ({"model.tau": 0}, "3.02"),
    "no patch loss": ({"model.weights.patch": 0}, "1.69"),
    "no global loss": ({"model.weights.global": 0}, "2.58"),
}


def runs():
    """Every variant on every picture."""
    return [
        (
            {**FIXED, "image": f"skimage:{picture}", **settings},
            {"variant": variant, "method": "clipstyler", "picture": picture},
        )
        for variant, (settings, _) in PARTS.items()
        for picture in ("chelsea", "rocket")
    ]


STUDY = Study(
    name="clipstyler_ablation",
    title=__doc__.splitlines()[0],
    by=("variant",),
    metrics=("change", "style_patch", "style_global", "content_distance", "quality"),
    scores={
        "style_patch": "style, patches ↑",
        "style_global": "style, whole ↑",
        "object_content_distance": "content loss ↓",
        "noise": "noise ↓",
    },
    runs=runs,
    published={variant: f"preference {rating}" for variant, (_, rating) in PARTS.items()},
    reduced={"model.tau": 0.8},
)

if __name__ == "__main__":
    main(STUDY)
