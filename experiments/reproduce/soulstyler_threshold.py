"""Soulstyler, the threshold t: style against content, best at t = 0.7 in the paper.

Paper's form: --models paper, 512 px, 200 steps, CLIP ViT-B/32, VGG-19, CRIS where registered.
Reduced form: embedded models, one picture of scikit-image, 256 px, 40 steps, nine thresholds, two
processor cores, about 6 min. All 18 thresholds and more seeds: atelier sweep threshold.
"""

from experiments.reproduce.base import Study, main


def runs():
    """The cat on fire, at nine thresholds."""
    thresholds = [round(0.1 + 0.1 * k, 1) for k in range(9)]
    fixed = {"method": "soulstyler", "image": "skimage:chelsea", "object": "cat", "style": "fire"}
    return [
        ({**fixed, "model.tau": t}, {"method": "soulstyler", "picture": "chelsea", "model.tau": t})
        for t in thresholds
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
