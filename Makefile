# Every target installs what it needs. `make demo` stylizes a picture, `make test` runs the tests that
# take seconds, `make test-slow` those that take minutes: kill -9, Ray, browsers, full-size networks.
VENV ?= .venv
PYTHON ?= python3
# The address of an index with other builds of PyTorch, e.g. its CPU index: 4 GB less.
TORCH_INDEX ?=
WORKERS ?= 2
# Python keeps what it has compiled, or each of the tests' processes compiles everything again.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := "$(VENV)/bin/python" -m pytest -n $(WORKERS) --dist loadgroup

.PHONY: demo studio doctor test test-slow bench gpu docs lint setup clean

demo: setup
	"$(VENV)/bin/atelier" stylize skimage:chelsea "Turn the cat to fire" \
		--out runs/demo --overwrite --no-wandb

# The page on which people try it.
studio: setup
	"$(VENV)/bin/atelier" studio

# Says what is here and what is missing.
doctor: setup
	"$(VENV)/bin/atelier" doctor

test: setup
	$(PYTEST) -m 'not slow'

test-slow: setup
	$(PYTEST) -m slow

# Times of the optimisations; meaningful only on an idle machine.
bench: setup
	"$(VENV)/bin/python" -m pytest tests/benchmarks/*.py --benchmark-columns=min,median,rounds

# Figures of a GPU, into build/gpu.
gpu: setup
	PYTHON="$(VENV)/bin/python" bash tests/gpu/run.sh

# Pages from docs/ and the docstrings, into build/docs; a warning is an error.
docs: setup
	"$(VENV)/bin/python" -m sphinx -W --keep-going -q docs build/docs

lint: setup
	"$(VENV)/bin/ruff" check .
	"$(VENV)/bin/ruff" format --check .

setup:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" TORCH_INDEX="$(TORCH_INDEX)" \
		sh requirements/setup.sh

clean:
	rm -rf "$(VENV)"
