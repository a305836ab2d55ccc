# Works from a fresh clone with Python >= 3.11, pip and make; no earlier step is needed.

# Which Python: a command, a path, a version such as 3.12, or newest. The environment is made again
# where it has another one.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: quickstart test test-as-users check distribution clean docs docs-html docs-study docs-learning docs-recipe docs-errors \
	docs-accuracy docs-solvers docs-plots docs-dashboard browser graph contact-sheet FORCE

quickstart: $(VENV)/.installed
	$(BIN)/python docs/quickstart.py

# The suite compiles fast, without most optimizations. Kernels, trainings, and each network on a line
# are tested as users compile them.
AS_USERS := tests/kernels tests/networks/test_convolutions.py tests/parity/test_training.py \
  tests/training/test_training_loop.py

test: check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(addprefix --ignore=,$(AS_USERS))
	$(MAKE) test-as-users

test-as-users: $(VENV)/.installed-dev
	APEXR_CHECK_SHAPES=1 JAX_DISABLE_MOST_OPTIMIZATIONS=false $(BIN)/python -m pytest -n 2 --dist load \
	  -k "not test_network or 1d-1c or 1d_c1 or AViT-2d-1c" tests/contracts/test_network_contract.py \
	  tests/parity/test_networks.py $(AS_USERS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/sp-repo-review .
	$(BIN)/python tools/check_words.py
	$(BIN)/python tools/check_distribution.py

# How the modules import each other: files, arrows and floors of each package.
graph: $(VENV)/.installed-dev
	$(BIN)/python tools/import_graph.py $(PACKAGES)

# Every plot at both widths, in pictures and in pages, on one page to be looked at; nothing is trained.
SHEET := $${TMPDIR:-/tmp}/apexr-contact-sheet
contact-sheet: $(VENV)/.installed-dev
	$(BIN)/python tools/contact_sheet.py $(SHEET)

# What is uploaded to an index, in dist/.
distribution: $(VENV)/.installed-dev
	$(BIN)/python tools/check_distribution.py dist

# Debian's Chromium, in which the pages of the dashboard are tested; needs root, or asks for it.
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
browser:
	command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
	  $(AS_ROOT) apt-get -qq update && \
	  $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
	    install chromium chromium-driver >/dev/null; }

# The documentation, in docs/_build/html: a small study is run, all pictures are drawn, every
# notebook is executed; a warning is an error. What is finished of the study is not run again.
docs: docs-plots
	$(MAKE) docs-html

# The pages alone, with the study and the pictures that are there.
docs-html: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -W --keep-going -n -b html -d docs/_build/doctrees docs docs/_build/html

# The study whose table and pictures stand in docs/ (about a quarter of an hour on two cores).
docs-study: $(VENV)/.installed
	$(BIN)/python docs/advection_study.py

# The study of all networks, three trainings and two tasks of docs/learning_study.md.
# What is finished is kept in a folder of the temporary directory and not run again.
docs-learning: $(VENV)/.installed
	$(BIN)/python docs/learning_study.py

# The study of the plain and the modern recipe of docs/recipe_study.md (half an hour).
# What is finished is kept in a folder of the temporary directory and not run again.
docs-recipe: $(VENV)/.installed
	$(BIN)/python docs/recipe_study.py

# The study of docs/error_sources.md, whose errors are split.
docs-errors: $(VENV)/.installed
	$(BIN)/python docs/error_sources.py

# The pictures of the README and of docs/plots.md, with the study and the films (a few minutes).
# What is trained is kept in quickstart/ and docs/_build, and not trained again.
docs-plots: $(VENV)/.installed-docs
	$(BIN)/python docs/quickstart.py docs/images/quickstart.png
	$(BIN)/python docs/plot_gallery.py

# The screenshots of docs/dashboard.md, taken in a browser (a few minutes).
# The study is kept in docs/_build and not run again.
docs-dashboard: browser $(VENV)/.installed-dev
	$(BIN)/python docs/dashboard.py

# The tables of docs/solver_accuracy.md (about a minute).
docs-accuracy: $(VENV)/.installed
	$(BIN)/python docs/reference_errors.py
	$(BIN)/python docs/solver_accuracy.py

# The tables of docs/solvers.md (about ten minutes).
docs-solvers: $(VENV)/.installed
	$(BIN)/python docs/solvers.py
	$(BIN)/python docs/superiority.py

# Looked at each time, written only where the environment is made.
$(VENV)/pyvenv.cfg: FORCE
	@.ci/make-venv $(VENV) $(PYTHON)

FORCE:

$(VENV)/.installed: $(VENV)/pyvenv.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[plot]"
	touch $@

$(VENV)/.installed-docs: $(VENV)/pyvenv.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[docs]"
	touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: $(VENV)/pyvenv.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) dist quickstart docs/_build docs/api docs/scenarios
