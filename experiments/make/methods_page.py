"""Write docs/methods.md from the methods' own docstrings, signatures and YAML files.

python -m experiments.make.methods_page
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import yaml
from docstring_parser import parse

from datamodules.support.files import write_text
from experiments.run.lightning_cli import method_class
from experiments.run.registry import METHODS
from lightning_modules.stylization import Stylization

PAGE = METHODS.parents[1] / "docs" / "methods.md"
EXAMPLE = "Example: "
INTRODUCTION = """# Methods

Written by `python -m experiments.make.methods_page` from the docstrings in `lightning_modules/` and
the files in `configs/methods/`. Every picture was made by the command above it, on the embedded
models, which stand in for CLIP and VGG: what a method does shows, how good it can look does not.
The formula numbers are those of the papers.

`atelier compare skimage:chelsea "Turn the cat to fire"` puts methods side by side. The embedded
painter has one code for a region, so those that do not part object and background look alike;
`--model.generator stylenet` shows more of what their losses differ in:

![the cat of scikit-image: content, mask, and four methods' outputs](pictures/methods/compare.jpg)

## What all methods share

A style can be a blend, `--style "0.7*Van Gogh + 0.3*Hokusai"`, and a picture can show it, beside or
instead of words: `--style-image FILE` gives its direction in the joint space and the painter's
start, and `--model.weights.gram 50` adds the Gram loss of its textures. `--keep-color` takes only
lightness from the style. A mask is 1 (white) on the region to stylize, in every method.

```sh
atelier stylize skimage:coffee --object "coffee cup" \\
    --style-image skimage:brick --model.weights.gram 50
```

![a cup, and its coffee as a wall of bricks](pictures/methods/style-image.jpg)

```sh
atelier stylize skimage:chelsea --object cat --style "stone wall" --keep-color
```

![a cat, and the same cat as a stone wall in its own colours](pictures/methods/keep-color.jpg)

A setting is given as `--model.NAME VALUE`; the short options `--mode`, `--brush`, `--strength`,
`--keep-color` and `--composite` are the same settings. The defaults are the papers' values, the
files in `configs/methods/` have those for the embedded models.

"""


def page() -> str:
    """The whole page as Markdown."""
    configs = sorted(METHODS.glob("*.yaml"))
    return INTRODUCTION + _settings(Stylization, {}) + "".join(map(_section, configs))


def _section(config: Path) -> str:
    method = method_class(config)
    title, *paragraphs = inspect.getdoc(sys.modules[method.__module__]).split("\n\n")
    example = next(text for text in paragraphs if text.startswith(EXAMPLE))
    command = " ".join(example.removeprefix(EXAMPLE).split()).replace(" --", " \\\n    --")
    texts = [text for text in paragraphs if text != example]
    own = yaml.safe_load(config.read_text("utf-8"))["model"]["init_args"]
    summary = parse(method.__doc__).long_description or ""
    picture = f"![before and after](pictures/methods/{config.stem}.jpg)"
    parts = [
        f"\n## {config.stem}",
        f"**{title}**",
        *texts[:1],
        f"```sh\n{command}\n```",
        picture,
        *texts[1:],
        summary.split(" Settings beside")[0].split("\nSettings beside")[0],
        _settings(method, own).rstrip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _settings(method: type[Stylization], own: dict) -> str:
    """A table of a class's own settings: paper's default, the value in its YAML, meaning."""
    parameters = inspect.signature(method).parameters
    documented = [found for found in parse(method.__doc__).params if found.arg_name in parameters]
    if not documented:
        return ""
    columns = ["setting", "default", *(["embedded"] if own else []), "meaning"]
    rows = [columns, ["---"] * len(columns)]
    for setting in documented:
        name, default = setting.arg_name, parameters[setting.arg_name].default
        values = [default] if default not in (None, inspect.Parameter.empty) else [""]
        values += [own.get(name, "")] if own else []
        shown = [f"`{value}`" if value != "" else "" for value in values]
        rows.append([f"`{name}`", *shown, " ".join(setting.description.split())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def main() -> None:
    write_text(PAGE, page())
    print(PAGE)


if __name__ == "__main__":
    main()
