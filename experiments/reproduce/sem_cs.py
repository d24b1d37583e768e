"""Sem-CS, results table "single text": style, background and object by method.

The paper reports DISTS (it reads a higher one as better), NIMA and a user study.
Paper's form: --models paper, 512 px, 400 steps, CLIP ViT-B/32, VGG-19, DINO ViT-S/16, about 5 min a
picture on a P100; with VGG-16 and NIMA's weights for the scores. Reduced form: embedded models, two
pictures of scikit-image, three seeds, 256 px, 40 steps, two processor cores, about 30 min.
"""

from experiments.reproduce.base import Study, main

PICTURES = {"chelsea": "cat", "coffee": "coffee cup"}
STYLES = ("Starry Night by Vincent van Gogh", "fire")
METHODS = {
    "clipstyler": "DISTS .32, NIMA 4.61, 28.3% of raters",
    "generative_artisan": "DISTS .25, NIMA 4.34, 33.1% of raters",
    "sem_cs": "DISTS .34, NIMA 5.34, 38.4% of raters",
}


def runs():
    """Every method on every picture and style."""
    return [
        (
            {"method": method, "image": f"skimage:{picture}", "object": thing, "style": style},
            {"method": method, "picture": picture, "style": style},
        )
        for method in METHODS
        for picture, thing in PICTURES.items()
        for style in STYLES
    ]


STUDY = Study(
    name="sem_cs",
    title=__doc__.splitlines()[0],
    by=("method",),
    metrics=("change", "background", "style_patch", "content_distance", "dists", "nima"),
    scores={
        "style_patch": "style ↑",
        "rest_change": "background change ↓",
        "object_content_distance": "object's content loss ↓",
        "dists": "DISTS ↓",
        "nima_mean": "NIMA ↑",
    },
    runs=runs,
    published=METHODS,
)

if __name__ == "__main__":
    main(STUDY)
