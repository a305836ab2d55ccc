# Works from a fresh clone with Python >= 3.11, pip and make; no earlier step is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: quickstart test check clean docs-study docs-learning docs-accuracy docs-plots

quickstart: $(VENV)/.installed
	$(BIN)/python docs/quickstart.py

test: check
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The study whose table and pictures stand in docs/ (about a quarter of an hour on two cores).
docs-study: $(VENV)/.installed
	$(BIN)/python docs/advection_study.py

# The study of all networks, three trainings and two tasks of docs/learning_study.md.
# What is finished is kept in a folder of the temporary directory and not run again.
docs-learning: $(VENV)/.installed
	$(BIN)/python docs/learning_study.py

# The study, the pictures and the films of docs/plots.md (a few minutes).
# The study is kept in a folder of the temporary directory and not run again.
docs-plots: $(VENV)/.installed-films
	$(BIN)/python docs/plot_gallery.py

# The tables of docs/solver_accuracy.md (about a minute).
docs-accuracy: $(VENV)/.installed
	$(BIN)/python docs/solver_accuracy.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[plot]"
	touch $@

$(VENV)/.installed-films: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[plot,movie]"
	touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@ $(VENV)/.installed $(VENV)/.installed-films

clean:
	rm -rf $(VENV) quickstart
