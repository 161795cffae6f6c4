# The two commands of the README, and what a developer needs beside them. Bare `make` lists them.
PYTHON ?= python3
BIN    := .venv/bin
CORE   := .venv/.core
DEV    := .venv/.dev
# One worker a core, each with one thread. A file stays with one worker, which makes what its tests
# share once; files are begun in order, those that take longest first (tests/conftest.py).
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help tour test check format bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tour: $(CORE)  ## the notes, start to end, as one page of pictures: tour/index.html
	@$(BIN)/convolens tour --out tour

test: $(DEV)  ## every check: format, lint, types, import contracts, tests, documentation examples
	@$(MAKE) --no-print-directory check
	@OMP_NUM_THREADS=1 $(BIN)/pytest $(PARALLEL) --cov --cov-report=term:skip-covered

check: $(DEV)  ## the checks that need no run: format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports

format: $(DEV)  ## lay the code out and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(DEV)  ## measure everything again; results in benchmarks/results/
	@$(BIN)/python benchmarks

clean:  ## remove the environment, caches and what the commands made
	rm -rf .venv tour runs .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage

# The environment is made once and again only when what it is made from changes. The stamps are
# written last, so that an installation that broke off is taken up again.
.venv/.made:
	@$(PYTHON) -c "import sys; assert sys.version_info >= (3, 11), 'Convolens needs Python 3.11 or later, this is ' + sys.version.split()[0] + '; set PYTHON=python3.11 or later'"
	$(PYTHON) -m venv .venv
	@touch $@

$(CORE): .venv/.made pyproject.toml constraints.txt
	@echo "installing into .venv: some minutes, once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(DEV): .venv/.made pyproject.toml constraints.txt
	@echo "installing into .venv: some minutes, once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $(CORE) $@
