"""How Sphinx builds these pages; ``make docs`` runs it."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

import apexr  # noqa: E402

os.environ["JAX_PLATFORMS"] = "cpu"  # of the notebooks, too: the same pages on every machine
os.environ["PYTHONWARNINGS"] = "ignore::DeprecationWarning,ignore:IProgress not found"

project = "apexr"
author = "The apexr developers"
project_copyright = "The apexr developers"
version = release = apexr.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "api_pages",
    "built_links",
    "inventories",
    "link_form",
    "notebooks",
    "scenario_pages",
]
exclude_patterns = ["_build", "_ext", "**/.ipynb_checkpoints", "networks_table.md", "*/table.md"]

html_theme = "furo"
html_title = f"apexr {release}"
html_static_path = ["_static"]
html_css_files = ["apexr.css"]
html_show_sphinx = False

# Pages are MyST; those with a jupytext header are notebooks and are executed.
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = -1  # a busy machine is no error
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
# Plots carry their HTML twice: for notebooks, in a type of their own, and for pages.
suppress_warnings = ["mystnb.unknown_mime_type"]
nb_number_source_lines = False

# The button copies what is typed, not the prompt and not what is printed.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
copybutton_exclude = ".linenos, .gp, .go"

# Links in public docstrings.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
napoleon_use_rtype = False
napoleon_preprocess_types = False

# References to what apexr offers must lead somewhere. Types of other packages, whose inventories
# are not always within reach, and the private aliases within signatures need not be links.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?!apexr\b).*"),
    (r"py:.*", r"apexr\.(.*\.)?_.*"),
]
