# Everything here sets itself up; it needs Python 3.11, pip and make. `make` alone says what there is.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# The engine's environment (vLLM and vllm-rbln) is not ours: it is made once, outside the repository, and the
# probe gets into it through PYTHONPATH. Asked for where it is used, so that nothing else waits for it.
ENGINE_PYTHON = $$($(PYTHON) scripts/engine_env.py)

.DEFAULT_GOAL := help
.PHONY: help test check lint format types contracts unit tui service engine engine-newer bench protos demo demo-vllm screenshots engine-env clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: check engine ## everything: checks, all tests, and those in the real engine

check: lint types contracts unit tui service ## all but the tests in the real engine

lint: $(STAMP) ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP) ## put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

contracts: $(STAMP) ## who may import whom
	$(BIN)/lint-imports

unit tui service: $(STAMP) ## the tests of that directory
	$(BIN)/pytest tests/$@

engine: engine-newer ## tests with the real vLLM and vllm-rbln, on the CPU
	python=$(ENGINE_PYTHON) && $$python -m pytest tests/engine

engine-newer: ## the limits on the scheduler of a newer vLLM
	python=$(ENGINE_PYTHON) && newer=$$($$python scripts/newer_vllm.py) && \
	PYTHONPATH=$$newer $$python -m pytest tests/engine/test_any_change.py tests/engine/test_trials_and_admission.py -k plain

bench: $(STAMP) ## measure what design promises, as ratios
	python=$(ENGINE_PYTHON) && RBLNTOP_ENGINE_PYTHON=$$python $(BIN)/python -m bench

demo: $(STAMP) ## a simulated engine in the dashboard; nothing else is needed
	$(BIN)/rblntop demo

demo-vllm: $(STAMP) ## a real engine on this CPU, under load, in the dashboard
	python=$(ENGINE_PYTHON) && $(BIN)/python scripts/demo.py --engine-python $$python

screenshots: $(STAMP) ## the README's pictures, from a recorded run of the sim engine; needs chromium
	$(BIN)/python scripts/screenshots.py

protos: .venv-protos/.installed ## regenerate the code beside the .proto files
	PYTHON=$(CURDIR)/.venv-protos/bin/python sh protos/generate.sh

engine-env: ## make the engine's environment, and print its python
	@$(PYTHON) scripts/engine_env.py

# pip reads dependency groups from 25.1 on, and a venv starts with the one that came with Python.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/pip install -q --group dev -e .
	touch $@

# The oldest version that we support: generated code refuses older runtimes.
.venv-protos/.installed: Makefile
	$(PYTHON) -m venv .venv-protos
	.venv-protos/bin/pip install -q --disable-pip-version-check grpcio-tools==1.71.2 'setuptools<81'
	touch $@

clean: ## remove what make made here (the engine's environment is shared, and stays)
	rm -rf $(VENV) .venv-protos build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
