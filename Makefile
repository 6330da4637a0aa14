# What a new machine needs is python3 (3.11 or newer), make and a C compiler (for the tests' fake driver library).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.sitecap-set-up
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2

.PHONY: probe setup check test components lint types contracts unit labs docs generate bench bench-remote clean

# The main job. Findings (exit 1) are a result, not a failure of make.
probe: $(VENV)/.sitecap-runtime
	@$(BIN)/agent probe $(ARGS) || test $$? -eq 1

# Debian splits the venv module off python3; as root we can mend that ourselves.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is older than Python 3.11: name a newer one, make PYTHON=python3.12 probe" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { test "$$(id -u)" -eq 0 && command -v apt-get >/dev/null && \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; } || \
	  { echo "make: $(PYTHON) has no venv module: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.sitecap-runtime: pyproject.toml | $(BIN)/python
	@$(PIP) install --quiet --editable '.[gpu-nvidia,docker,xrootd]'
	@touch $@

$(STAMP): pyproject.toml $(VENV)/.sitecap-runtime
	@$(PIP) install --quiet --upgrade 'pip>=25.1'
	@$(PIP) install --quiet --group dev
	@touch $@

setup: $(STAMP)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports
	$(BIN)/python -m profiles.schema --check
	$(BIN)/python docs/generate.py --check

unit: $(STAMP)
	$(BIN)/python -m pytest -q -n $(WORKERS) -m 'not lab'

# Quick: what to run before every commit.
check: lint types contracts unit

# Everything, with the real components (installed by apt where we are root on Debian, else skipped with the reason).
# One invocation of pytest, so that its closing line counts all tests.
test: components lint types contracts docs
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

components:
	bash tests/lab/install-components.sh

labs: $(STAMP) components
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m lab

docs: $(STAMP)
	$(BIN)/sphinx-build -q -W -b html docs docs/_build

# Rewrites what is generated from the code.
generate: $(STAMP)
	$(BIN)/python -m profiles.schema
	$(BIN)/python docs/generate.py

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

# Remote access against real servers on loopback; needs what `make components` installs, and root.
bench-remote: $(STAMP) components
	$(BIN)/python -m benchmarks.remote

clean:
	rm -rf $(VENV) docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
