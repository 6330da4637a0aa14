# What a new machine needs is python3 (3.11 or newer) and make; for the payloads and the tests a C and C++17 compiler.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.sitecap-set-up
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2
# Of the quick tier: some of its tests sleep.
UNIT_WORKERS ?= 3
EXTRAS := gpu-nvidia,docker,xrootd
SERVICE := service,postgres,dask,analysis
comma := ,
KERNELS := $(VENV)/.sitecap-kernels
KERNEL_SOURCES := $(shell find payloads -name '*.cpp' -o -name '*.h' -o -name '*.cmake' -o -name '*.inc' -o -name '*.cu' 2>/dev/null)
BUILD_REQUIREMENTS := 'scikit-build-core>=1.1' 'nanobind>=3.1' 'cmake>=3.22' 'ninja>=1.11'

.PHONY: probe payloads serve plan setup check test components lint types contracts unit labs kubernetes docs pictures generate bench \
  bench-remote bench-payloads bench-delivery image clean wheel gpu-check gpu-loss

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

# Without the kernels, which take a C++ compiler and a minute or two: probing needs none of them.
$(VENV)/.sitecap-runtime: pyproject.toml | $(BIN)/python
	@test -e $(KERNELS) || SITECAP_NO_KERNELS=1 $(PIP) install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

# The benchmark of this node: compiles the kernels, then measures. A wrong or failed kernel (exit 1) is a result.
payloads: $(KERNELS)
	@$(BIN)/agent bench $(ARGS) || test $$? -eq 1

# Not isolated: CMake finds the same nanobind again and compiles only what changed. With no compiler to be had the
# installation goes on without kernels and `agent bench` says so; with one, a kernel that does not compile is an error.
define install_with_kernels
@command -v $${CXX:-c++} >/dev/null || test "$$(id -u)" -ne 0 || ! command -v apt-get >/dev/null || \
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq g++ >/dev/null; } || true
@$(PIP) install --quiet $(BUILD_REQUIREMENTS)
@$(PIP) install --quiet --no-build-isolation --editable '.[$(1)]'
@$(BIN)/python -c 'import payloads._simulation' 2>/dev/null || ! command -v $${CXX:-c++} >/dev/null || \
  { echo "make: the kernels did not compile; to see why: $(PIP) install -v --no-build-isolation --editable ." >&2; exit 1; }
@touch $(KERNELS)
endef

$(KERNELS): pyproject.toml CMakeLists.txt $(KERNEL_SOURCES) | $(VENV)/.sitecap-runtime
	$(call install_with_kernels,$(EXTRAS)$(comma)bench)

# The central service on its embedded database, at once.
serve: $(VENV)/.sitecap-service
	@$(BIN)/capacity serve $(ARGS)

# What CMS needs each year against the flat budget and a demo fleet; with a database of your own: capacity plan.
plan: $(VENV)/.sitecap-service
	@test -e build/demo.db || { mkdir -p build && $(BIN)/capacity demo --nodes 200 --database sqlite:///$(CURDIR)/build/demo.db; }
	@$(BIN)/capacity plan --database sqlite:///$(CURDIR)/build/demo.db $(ARGS)

$(VENV)/.sitecap-service: pyproject.toml | $(BIN)/python
	@test -e $(KERNELS) && $(PIP) install --quiet --no-build-isolation --editable '.[$(SERVICE)]' || \
	  SITECAP_NO_KERNELS=1 $(PIP) install --quiet --editable '.[$(SERVICE)]'
	@touch $@

$(STAMP): pyproject.toml CMakeLists.txt $(KERNEL_SOURCES) | $(VENV)/.sitecap-runtime
	$(call install_with_kernels,$(EXTRAS)$(comma)bench$(comma)$(SERVICE))
	@touch $(VENV)/.sitecap-service
	@$(PIP) install --quiet --upgrade 'pip>=25.1'
	@$(PIP) install --quiet --group dev
	@touch $@

setup: $(STAMP)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	find payloads benchmarks -name '*.h' -o -name '*.cpp' -o -name '*.cu' | xargs $(BIN)/clang-format --dry-run --Werror
	$(BIN)/codespell
	test ! -x $(BIN)/hadolint || $(BIN)/hadolint Dockerfile

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports
	$(BIN)/python -m profiles.schema --check
	$(BIN)/python docs/generate.py --check
	$(BIN)/python charts/generate.py --check

unit: $(STAMP)
	$(BIN)/python -m pytest -q -n $(UNIT_WORKERS) --dist loadgroup -m 'not lab and not long and not slow'

# Quick: what to run before every commit.
check: lint types contracts unit

# With the real components (installed by apt where we are root on Debian, else skipped with the reason). LONG=1, as in CI:
# everything, also what compiles for other architectures, builds images or soaks for minutes.
# One invocation of pytest, so that its closing line counts all tests.
test: components lint types contracts docs
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup $(if $(LONG),,-m 'not long')

components:
	bash tests/lab/install-components.sh

labs: $(STAMP) components
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m lab

# The charts on a real Kubernetes of one node. The first time it is built from Debian's source: Go, and minutes of all cores.
kubernetes: $(STAMP) components
	bash tests/lab/install-components.sh golang-go golang-github-modern-go-reflect2-dev etcd-server containernetworking-plugins curl
	$(BIN)/python -m pytest -q tests/kubernetes

docs: $(STAMP)
	$(BIN)/sphinx-build -q -W -b html docs docs/_build

# The pictures of the kernels, and those of the pages in docs/, taken anew with Chromium.
pictures: $(STAMP) components
	$(BIN)/python docs/kernel_pictures.py
	$(BIN)/python docs/pictures.py

# Rewrites what is generated from the code.
generate: $(STAMP)
	$(BIN)/python -m profiles.schema
	$(BIN)/python docs/generate.py
	$(BIN)/python charts/generate.py

# A wheel with all kernels and their device code for NVIDIA's GPUs, in dist/.
wheel: $(STAMP)
	$(PIP) wheel --quiet --no-build-isolation --no-deps --wheel-dir dist .

# The images sitecap-agent and sitecap-capacity, with podman or docker (ENGINE); all kernels for all instruction sets.
# IMAGE_OPTIONS go to the engine's `build`, such as --platform linux/arm64.
image:
	deploy/image/build.sh agent $(IMAGE_OPTIONS)
	deploy/image/build.sh service $(IMAGE_OPTIONS)

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

# Remote access against real servers on loopback; needs what `make components` installs, and root.
bench-remote: $(STAMP) components
	$(BIN)/python -m benchmarks.remote

# Throughput of every kernel and of what runs them, as ratios to a reference loop of the same run.
bench-payloads: $(STAMP)
	for kernel in pixeltrack clue mkfit vertexing catracks eseeding hgcalml pflow; do $(BIN)/python -m benchmarks.payload_$$kernel || exit 1; done
	$(BIN)/python -m benchmarks.payloads --whole

# What delivery costs; then 200 kills of agents and 20 of the service while 10,000 profiles are handed in.
bench-delivery: $(STAMP)
	$(BIN)/python -m benchmarks.delivery
	$(BIN)/python -m benchmarks.delivery --faults

# All checks that need a GPU, on that of this machine; writes a file with date and device below benchmarks/data/gpu_check.
# Exit code 3 of the script: there is no GPU.
gpu-check: $(STAMP)
	$(BIN)/python -m benchmarks.gpu_check $(ARGS)

# Kernels beside twins written for CUDA by hand, on an NVIDIA GPU of this machine: what being portable costs. Exit code 3 of the
# script: there is no such GPU.
gpu-loss: $(STAMP)
	$(BIN)/python -m benchmarks.native_cuda $(ARGS)

clean:
	rm -rf $(VENV) build docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
