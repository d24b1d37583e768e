"""Settings that runs must share to be optimised jointly; without torch, for what plans runs."""

# By their dotted names, or beginnings of them: the joint step takes them from the first run, or
# calls with other values could not be combined.
SHARED_SETTINGS = (
    "data.size",
    "model.chunk",
    "model.content_every",
    "model.content_features",
    "model.deviations.extra_step",
    "model.encoder",
    "model.generator",
    "model.mode",
    "model.style_features",
    "trainer.",
)
