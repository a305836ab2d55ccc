import inspect

import pandas as pd
import pytest

from apexr import analysis, plots
from apexr.accessor import ApexrAccessor, ApexrPlots
from apexr.errors import SchemaError
from apexr.testing import mock_experiment


def test_methods_are_the_functions():
    ds = mock_experiment()
    for name in ("to_wide", "melt_loss", "melt_metrics"):
        pd.testing.assert_frame_equal(getattr(ds.apexr, name)(), getattr(analysis, name)(ds))
    assert len(ds.apexr.melt_sample_rollouts()) == 3
    pd.testing.assert_frame_equal(ds.apexr.to_long("nRMSE"), analysis.to_long(ds, "nRMSE"))


def test_signatures_are_those_of_the_functions():
    for holder, module in ((ApexrAccessor, analysis), (ApexrPlots, plots)):
        for name, method in inspect.getmembers(holder, inspect.isfunction):
            if name in module.__all__:
                own = list(inspect.signature(method).parameters.values())[1:]
                function = list(inspect.signature(getattr(module, name)).parameters.values())[1:]
                pairs = [(a.name, a.default) for a in own]
                assert pairs == [(b.name, b.default) for b in function][: len(pairs)], name


def test_validate():
    mock_experiment().apexr.validate()
    with pytest.raises(SchemaError):
        mock_experiment().assign(other=1).apexr.validate()


def test_plots():
    pytest.importorskip("bokeh")
    ds = mock_experiment()
    assert ds.apexr.plot.loss() is not None
    assert ds.apexr.plot.metric("nRMSE", logy=True) is not None
    assert ds.apexr.plot.spacetime(seed=1) is not None
