# One environment, .venv, filled from the hash-locked files in requirements/. `make help` lists what there is.
PYTHON3 ?= python3
VENV    := .venv
PYTHON  := $(VENV)/bin/python
UV      := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo demo-check test lint types contracts bench-quick bench bench-telemetry soak-quick soak lock schema sbom picture clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/runtime.stamp ## a whole plant on this machine: machines, scanner, ERP, agent and a terminal
	@$(PYTHON) -m edge_agent demo

demo-check: $(VENV)/runtime.stamp ## the same without a screen: a scripted shift with kills and outages, and its balance
	@$(PYTHON) -m edge_agent demo --check

# Most tests wait for a device, an agent or a terminal: three processes for each core of a small machine.
# A file stays with one of them, which keeps what it has started, until another one has nothing left to do.
TEST_PROCESSES ?= 6

test: lint types contracts ## every check there is
	$(PYTHON) -m pytest -n $(TEST_PROCESSES) --dist worksteal
	$(PYTHON) -m bench.soak --quick --strict
	@echo "lint, types, contracts, tests and soak: all passed"

lint: $(VENV)/dev.stamp ## style and common mistakes
	$(PYTHON) -m ruff check .

types: $(VENV)/dev.stamp ## mypy, strict
	$(PYTHON) -m mypy

contracts: $(VENV)/dev.stamp ## who may import whom
	$(VENV)/bin/lint-imports

bench-quick: $(VENV)/dev.stamp ## start, memory, latencies against bench/goals.toml, in about a minute
	$(PYTHON) -m bench.quick

bench: $(VENV)/dev.stamp ## all figures: more samples, landed beside a peer, unplugs, a shift, a fresh clone, 72 h of samples
	$(PYTHON) -m bench.full

bench-telemetry: $(VENV)/dev.stamp ## room and CPU of stored samples, in about five minutes
	$(PYTHON) -m bench.telemetry_size

soak-quick: $(VENV)/dev.stamp ## kills, power cuts, damage and planted mistakes, in three minutes: part of make test
	$(PYTHON) -m bench.soak --quick --strict

soak: $(VENV)/dev.stamp ## the same in their thousands, in hours, and long queues: nothing lost, nothing booked twice
	$(PYTHON) -m bench.soak --strict

schema: $(VENV)/dev.stamp ## what is generated: the schema and reference of the site file, the table of GS1
	$(PYTHON) -m docs.generate

sbom: $(VENV)/dev.stamp ## what is installed, as CycloneDX: sbom.json, from the lock
	$(VENV)/bin/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml \
		--output-reproducible --validate --of JSON -o sbom.json

picture: $(VENV)/dev.stamp ## the pictures of the README
	$(PYTHON) -m docs.picture

clean: ## remove the environment and all caches
	rm -rf $(VENV) .locktools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

# ---------------------------------------------------------------- the environment

# A stamp is newer than its lock when the environment holds what the lock says.
$(VENV)/runtime.stamp: requirements/runtime.txt pyproject.toml | $(PYTHON)
	@echo "Filling $(VENV) from requirements/runtime.txt: once, about half a minute"
	@$(call install,requirements/runtime.txt)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt requirements/runtime.txt pyproject.toml | $(PYTHON)
	@echo "Filling $(VENV) from requirements/dev.txt: once, about half a minute"
	@$(call install,requirements/dev.txt)
	@touch $@ $(VENV)/runtime.stamp

# Built with the setuptools of the lock, so that nothing without a hash is downloaded.
EDITABLE := --no-build-isolation --no-deps -e .

ifdef UV
$(PYTHON):
	$(UV) venv --quiet --python '>=3.11' $(VENV)

install = $(UV) pip install --python $(PYTHON) --require-hashes -r $1 \
	&& PYTHONWARNINGS=ignore $(UV) pip install --python $(PYTHON) --quiet $(EDITABLE)
else
$(PYTHON):
	@command -v $(PYTHON3) >/dev/null || { echo "Python 3.11 or newer is missing: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON3) is older than 3.11: name a newer one, such as: make PYTHON3=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON3) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON3) can not make environments yet: apt install python3-venv"; exit 1; }
	$(PYTHON3) -m venv $(VENV)

install = $(PYTHON) -m pip install --disable-pip-version-check --require-hashes -r $1 \
	&& PYTHONWARNINGS=ignore $(PYTHON) -m pip install --disable-pip-version-check --quiet $(EDITABLE)
endif

# ---------------------------------------------------------------- the locks

COMPILE = .locktools/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

lock: .locktools/bin/uv ## new locks from requirements/*.in
	$(COMPILE) requirements/runtime.in requirements/build.in -o requirements/runtime.txt
	$(COMPILE) requirements/dev.in requirements/build.in -c requirements/runtime.txt -o requirements/dev.txt

.locktools/bin/uv:
	$(PYTHON3) -m venv .locktools
	.locktools/bin/python -m pip install --disable-pip-version-check --quiet uv
