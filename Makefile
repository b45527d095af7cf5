# Needs Python 3.11 or later, git and make; everything else goes into .venv.
#   make demo    the whole idea in two minutes, with invented data, in ./demo
#   make demo-web   some 300 invented transients to look at in a browser, in ./demo-web
#   make screenshots   the pictures of the documentation, by a browser
#   make test    all tests
#   make test-fast  without the slow ones
#   make lint    ruff, mypy, and the order of imports

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The second start of a compiled program is up to twice as fast; some machines forbid compiling.
unexport PYTHONDONTWRITEBYTECODE
# Only what is in .venv counts, whatever the caller's shell has set.
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo demo-web screenshots test test-fast lint clean

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.ready
	@$(BIN)/python -m blastgit.demo

demo-web: $(VENV)/.ready
	@$(BIN)/python -m blastgit.demo --web

screenshots: $(VENV)/.ready-dev
	$(BIN)/python -m tests.serve.screenshots docs

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n auto --dist worksteal

test-fast: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow'

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) demo demo-web .mypy_cache .pytest_cache .ruff_cache .hypothesis

# A stamp says that set-up is done for the pyproject.toml that there is.
$(VENV)/.ready: pyproject.toml | $(BIN)/pip
	@$(BIN)/python -m pip install -qq --editable '.[web]'
	@$(BIN)/python -m compileall -q blastgit
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(BIN)/pip
	@$(BIN)/python -m pip install -qq --editable '.[dev,s3,web]'
	@$(BIN)/python -m compileall -q blastgit tests
	@touch $@ $(VENV)/.ready

# Debian and Ubuntu ship Python without a complete venv: virtualenv does as well.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'blastgit needs Python 3.11 or later: make PYTHON=python3.12 …' >&2; exit 1; }
	@git --version >/dev/null || { echo 'blastgit needs git: sudo apt-get install git' >&2; exit 1; }
	@echo 'Setting up in $(VENV): a few minutes, once.'
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || \
	    { rm -rf $(VENV) && $(PYTHON) -m virtualenv --quiet $(VENV) 2>/dev/null; } || \
	    { rm -rf $(VENV) && virtualenv --quiet --python $(PYTHON) $(VENV) 2>/dev/null; } || \
	    { rm -rf $(VENV); echo 'This Python cannot make a virtual environment. Install what it lacks, and repeat:' >&2; \
	      echo '    sudo apt-get install python3-venv' >&2; exit 1; }
