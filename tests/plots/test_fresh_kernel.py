"""In the kernel of a fresh notebook a plot is drawn, without any extension loaded by hand."""

import nbformat
import pytest

nbclient = pytest.importorskip("nbclient")

CELLS = (
    "import apexr\nfrom apexr.testing import mock_experiment\n"
    "one = mock_experiment()\nflat = mock_experiment(num_spatial_dims=2, num_points=8)",
    "apexr.plot.metric(one)",
    "apexr.plot.spacetime(flat)",
    "apexr.plot.sizes(one)",
    "apexr.plot.explore(one)",
)


def test_plots_are_drawn(tmp_path):
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    for cell in notebook.cells[1:]:
        shown = [out.data for out in cell.outputs if out.output_type == "execute_result"]
        assert len(shown) == 1, cell.source
        page = shown[0].get("text/html", "")
        assert "docs_json" in page or "application/vnd.holoviews_exec.v0+json" in shown[0]
        assert "Bokeh" in page or "bokeh" in page, cell.source
