# Everything here sets itself up; it needs Python 3.11, pip and make. `make` alone says what there is.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# The engine's environment (vLLM and vllm-rbln) is not ours: it is made once, outside the repository, and the
# probe gets into it through PYTHONPATH. Asked for where it is used, so that nothing else waits for it.
ENGINE_PYTHON = $$($(PYTHON) scripts/engine_env.py)

# Where `make install` puts things; DESTDIR goes in front of all of it.
prefix     := /usr/local
sysconfdir := /etc
bindir      = $(prefix)/bin
programdir  = $(prefix)/lib/rblntop
probedir    = $(prefix)/lib/rblntop-probe
PROGRAMS   := rblntopd rblntop rblnctl
INSTALLED   = $(programdir) $(probedir) $(PROGRAMS:%=$(bindir)/%) $(SERVICE_FILES) $(prefix)/share/doc/rblntop
SERVICE_FILES = $(prefix)/lib/systemd/system/rblntopd.service $(prefix)/lib/sysusers.d/rblntop.conf \
                $(prefix)/lib/tmpfiles.d/rblntop.conf

.DEFAULT_GOAL := help
.PHONY: help install install-program install-service uninstall test check lint format types contracts unit tui service engine engine-newer bench protos demo demo-vllm screenshots engine-env man clean

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

engine: $(STAMP) engine-newer ## tests with the real vLLM and vllm-rbln, on the CPU
	python=$(ENGINE_PYTHON) && $$python -m pytest tests/engine && \
	RBLNTOP_ENGINE_PYTHON=$$python $(BIN)/pytest tests/service/test_demo.py -k vllm

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

man: $(STAMP) ## manual pages, in build/man
	$(BIN)/python scripts/man_pages.py build/man/man1

engine-env: ## make the engine's environment, and print its python
	@$(PYTHON) scripts/engine_env.py

install: install-program install-service ## programs and service, for all users (docs/service.md; as root)
	@echo 'next: systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload'
	@echo '      systemctl enable --now rblntopd'

# An environment of its own. What it has of the staging directory's name is put right afterwards.
install-program:
	rm -rf $(DESTDIR)$(programdir) $(DESTDIR)$(probedir)
	$(PYTHON) -m venv $(DESTDIR)$(programdir)
	$(DESTDIR)$(programdir)/bin/pip install -q --disable-pip-version-check .
	$(DESTDIR)$(programdir)/bin/python -m rblntopd.cli probe export $(DESTDIR)$(probedir) > /dev/null
	chmod -R u=rwX,go=rX $(DESTDIR)$(programdir) $(DESTDIR)$(probedir)
	$(if $(DESTDIR),grep -rlI --exclude-dir=lib '$(DESTDIR)' $(DESTDIR)$(programdir) | xargs sed -i 's|$(DESTDIR)||g')
	mkdir -p $(DESTDIR)$(bindir)
	for name in $(PROGRAMS); do ln -sfn $(programdir)/bin/$$name $(DESTDIR)$(bindir)/$$name; done

install-service:
	install -d $(DESTDIR)$(prefix)/lib/systemd/system $(DESTDIR)$(prefix)/lib/sysusers.d \
	    $(DESTDIR)$(prefix)/lib/tmpfiles.d $(DESTDIR)$(prefix)/share/doc/rblntop $(DESTDIR)$(sysconfdir)/rblntop
	sed 's|@bindir@|$(bindir)|' systemd/rblntopd.service.in > $(DESTDIR)$(prefix)/lib/systemd/system/rblntopd.service
	sed 's|@probedir@|$(probedir)|' systemd/vllm-drop-in.conf.in > $(DESTDIR)$(prefix)/share/doc/rblntop/vllm-drop-in.conf
	install -m 644 systemd/rblntop.sysusers $(DESTDIR)$(prefix)/lib/sysusers.d/rblntop.conf
	install -m 644 systemd/rblntop.tmpfiles $(DESTDIR)$(prefix)/lib/tmpfiles.d/rblntop.conf
	install -m 644 docs/service.md docs/configuration.md $(DESTDIR)$(prefix)/share/doc/rblntop
	test -e $(DESTDIR)$(sysconfdir)/rblntop/rblntopd.toml || \
	    install -m 644 systemd/rblntopd.toml $(DESTDIR)$(sysconfdir)/rblntop/rblntopd.toml
	chmod 644 $(DESTDIR)$(prefix)/lib/systemd/system/rblntopd.service $(DESTDIR)$(prefix)/share/doc/rblntop/*

uninstall: ## remove what install made; configuration and audit log stay
	rm -rf $(addprefix $(DESTDIR),$(INSTALLED))

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
