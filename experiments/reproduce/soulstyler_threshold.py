"""Soulstyler, the threshold t: style against content, best at t = 0.7 in the paper.

Paper's form: --models paper, 512 px, 200 steps, CLIP ViT-B/32, VGG-19, CRIS where registered.
Reduced form: embedded models, one picture of scikit-image, three seeds, 256 px, 40 steps, eight
thresholds, two processor cores, about 18 min; below 0.6 no patch passes the threshold in so few
steps. All 18 thresholds: atelier sweep threshold.
"""

from experiments.reproduce.base import Study, main

THRESHOLDS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def runs():
    """The cat on fire, at eight thresholds."""
    fixed = {"method": "soulstyler", "image": "skimage:chelsea", "object": "cat", "style": "fire"}
    return [
        ({**fixed, "model.tau": t}, {"method": "soulstyler", "picture": "chelsea", "model.tau": t})
        for t in THRESHOLDS
    ]


STUDY = Study(
    name="soulstyler_threshold",
    title=__doc__.splitlines()[0],
    by=("model.tau",),
    metrics=("change", "background", "style_patch", "style_global", "content_distance"),
    scores={
        "style_patch": "style, patches ↑",
        "style_global": "style, whole ↑",
        "object_change": "object's change",
        "object_content_distance": "object's content loss ↓",
        "leakage": "leakage ↓",
    },
    runs=runs,
    published={"0.7": "best"},
)

if __name__ == "__main__":
    main(STUDY)
