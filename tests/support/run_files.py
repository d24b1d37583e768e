"""Helpers of the tests of cli."""

RUN_FILES = {
    "config.yaml",
    "parse.json",
    "mask.png",
    "content.png",
    "output.png",
    "output_enhanced.png",
    "losses.csv",
    "style.safetensors",
    "result.json",
}  # and steps/, where a run is long enough, and
