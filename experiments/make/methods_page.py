"""Generator of docs/methods.md from the methods' docstrings, signatures and YAML files.

python -m experiments.make.methods_page
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import torch
from docstring_parser import DocstringParam, parse

from datamodules.support.files import write_text
from experiments.run.configuration import compose
from experiments.run.registry import METHODS, method_class, names
from lightning_modules.stylization import Stylization

PAGE = METHODS.parents[1] / "docs" / "methods.md"
EXAMPLE = "Example: "
INTRODUCTION = """# Methods

Written by `python -m experiments.make.methods_page` from the docstrings in `lightning_modules/` and
the files in `configs/methods/`. Every picture was made by the command above it, on the embedded
models, which stand in for CLIP and VGG: the pictures show what a method does, not how good its
results can be. Equation numbers are those of the papers.

`atelier compare skimage:chelsea "Turn the cat to fire"` puts methods side by side. The embedded
painter has one code per region, so methods that do not separate object and background look alike;
`--model.generator stylenet` shows more of the differences between their losses:

![the cat of scikit-image: content, mask, and four methods' outputs](pictures/methods/compare.jpg)

A method of your own is a class and a YAML file in any folder: `docs/own.md`.

## What all methods share

A style can be a blend, `--style "0.7*Van Gogh + 0.3*Hokusai"`, and a picture can show it, beside or
instead of words: `--style-image FILE` gives its direction in the joint space and the painter's
start, and `--model.weights.gram 50` adds the Gram loss of its textures. `--keep-color` takes only
lightness from the style. In every method the mask is 1 (white) on the region to stylize.

```sh
atelier stylize skimage:coffee --object "coffee cup" \\
    --style-image skimage:brick --model.weights.gram 50
```

![a cup, and its coffee as a wall of bricks](pictures/methods/style-image.jpg)

```sh
atelier stylize skimage:chelsea --object cat --style "stone wall" --keep-color
```

![a cat, and the same cat as a stone wall in its own colours](pictures/methods/keep-color.jpg)

A setting is given as `--model.NAME VALUE`; `--mode`, `--brush`, `--strength`, `--keep-color` and
`--composite` are short options for settings of the same name. The defaults are the papers' values;
`configs/models/embedded.yaml` and the files in `configs/models/embedded/` have values for the
embedded models. `--model.optimizer.lr 1e-3` sets the learning rate, `--model.lr_scheduler.every 60`
the steps between its halvings.

The switches `deviations.*` are the table of differences between a paper and its published code:
off = the paper's formula, on = the code's. `--mode reference` turns all of them on, and each can be
set by itself, `--model.deviations.tv_norms true`. An empty default means: as `mode` says.

"""


def page() -> str:
    """Whole page as Markdown."""
    return INTRODUCTION + _table(Stylization, {}) + "".join(map(_section, names(METHODS)))


def _section(name: str) -> str:
    method = method_class(name)
    title, *paragraphs = inspect.getdoc(sys.modules[method.__module__]).split("\n\n")
    example = next(text for text in paragraphs if text.startswith(EXAMPLE))
    command = " ".join(example.removeprefix(EXAMPLE).split()).replace(" --", " \\\n    --")
    texts = [text for text in paragraphs if text != example]
    embedded = compose(name)["model"]["init_args"]
    summary = parse(method.__doc__).long_description or ""
    picture = f"![before and after](pictures/methods/{name}.jpg)"
    parts = [
        f"\n## {name}",
        f"**{title}**",
        *texts[:1],
        f"```sh\n{command}\n```",
        picture,
        *texts[1:],
        summary.split(" Settings beside")[0].split("\nSettings beside")[0],
        _table(method, embedded).rstrip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(method: type[Stylization], embedded: dict[str, Any]) -> str:
    """Table of a class's own settings: default, value in its YAML file, meaning.

    Members of a group that are as in Stylization are left out.
    """
    rows = list(_settings(method, embedded))
    if method is not Stylization:
        shared = list(_settings(Stylization, {}))
        rows = [row for row in rows if row not in shared]
    if not rows:
        return ""
    columns = ["setting", "default", *(["embedded"] if embedded else []), "meaning"]
    cells = [columns, ["---"] * len(columns)]
    for name, default, value, meaning in rows:
        values = [default, value] if embedded else [default]
        texts = [f"`{text}`" if (text := _text(one)) else "" for one in values]
        cells.append([f"`{name}`", *texts, meaning])
    return "\n".join(f"| {' | '.join(row)} |" for row in cells) + "\n"


def _settings(
    owner: type, embedded: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any, str]]:
    """Dotted name, default, embedded value and meaning of each documented setting of a class.

    A group of settings is replaced by its members.
    """
    parameters = inspect.signature(owner).parameters
    for setting in _documented(owner):
        name, default = prefix + setting.arg_name, parameters[setting.arg_name].default
        value = embedded.get(setting.arg_name)
        if is_dataclass(default):
            members = _settings(type(default), value or {}, f"{name}.")
            yield from ((n, getattr(default, n.rpartition(".")[2]), v, m) for n, _, v, m in members)
        else:
            yield name, default, value, " ".join(setting.description.split())


def _documented(owner: type) -> list[DocstringParam]:
    """Documented parameters, those of a dataclass's parents first."""
    if not is_dataclass(owner):
        parameters = inspect.signature(owner).parameters
        return [one for one in parse(owner.__doc__).params if one.arg_name in parameters]
    parents = [cls for cls in reversed(owner.__mro__) if is_dataclass(cls)]
    return [one for cls in parents for one in parse(cls.__doc__).params]


def _text(value: Any) -> str:
    """A setting's value for the table; "" for none."""
    if value is None or value is inspect.Parameter.empty:
        return ""
    if isinstance(value, dict) and "class_path" in value:
        return _call(value["class_path"].rpartition(".")[2], value.get("init_args", {}))
    if inspect.isclass(value):
        defaults = {n: p.default for n, p in inspect.signature(value).parameters.items()}
        settings = {n: d for n, d in defaults.items() if d is not inspect.Parameter.empty}
        return _call(value.__name__, settings)
    if callable(value):  # the default optimizer
        optimizer = value([torch.zeros(1, requires_grad=True)])
        return _call(type(optimizer).__name__, {"lr": optimizer.defaults["lr"]})
    if isinstance(value, dict):
        return ", ".join(f"{name} {item:g}" for name, item in value.items())
    return str(value)


def _call(name: str, settings: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value}' for key, value in settings.items())})"


def main() -> None:
    write_text(PAGE, page())
    print(PAGE)


if __name__ == "__main__":
    main()
