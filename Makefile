# make demo: the whole job on the default data    make test: the tests
# make lint: ruff                                 make bench: side-by-side measurements
# make soak: long tests of reliability

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench soak clean

demo: $(VENV)/.installed-cpu
	$(BIN)/python -m tools.demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist=worksteal

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/.installed-bench
	$(BIN)/python -m tools.benchmarks

soak: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m soak
	$(BIN)/python -m tools.soak

# one stamp an extra, renewed when the dependencies change
$(VENV)/.installed-cpu: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[cpu]'
	touch $@

$(VENV)/.installed-dev: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[cpu,dev]'
	touch $@ $(VENV)/.installed-cpu

$(VENV)/.installed-bench: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[cpu,bench]'
	touch $@ $(VENV)/.installed-cpu $(VENV)/.installed-dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
