"""Generative Artisan, loss curves: final losses and the area under their curves, by method.

The paper shows curves and no numbers. Every method is measured with the same four losses
(CLIPstyler, eq. 1, 2, 4) on the pictures that it kept on its way.
Paper's form: --models paper, 512 px, 400 steps, CLIP ViT-B/32, VGG-19, FCN-ResNet101, about 5 min a
picture on a P100. Reduced form: embedded models, a portrait of scikit-image, three seeds, 256 px,
40 steps, two processor cores, about 20 min.
"""

from experiments.reproduce.base import Study, main

METHODS = ("clipstyler", "generative_artisan", "sem_cs", "soulstyler")


def runs():
    """The astronaut in two styles, by every method; a picture is kept every fifth step."""
    return [
        (
            {
                "method": method,
                "image": "skimage:astronaut",
                "object": "person",
                "style": style,
                "run.keep_every": 5,
            },
            {"method": method, "picture": "astronaut", "style": style},
        )
        for method in METHODS
        for style in ("mosaic", "fire")
    ]


STUDY = Study(
    name="generative_artisan_losses",
    title=__doc__.splitlines()[0],
    by=("method",),
    metrics=("losses",),
    scores={
        "loss_global": "global ↓",
        "loss_global_area": "global, area ↓",
        "loss_patch": "patch ↓",
        "loss_patch_area": "patch, area ↓",
        "loss_content": "content ↓",
        "loss_content_area": "content, area ↓",
    },
    runs=runs,
)

if __name__ == "__main__":
    main(STUDY)
