import inspect

import pandas as pd
import pytest

from apexr import analysis, plots
from apexr.accessor import FunctionOf
from apexr.errors import SchemaError
from apexr.testing import mock_experiment


def test_methods_are_the_functions():
    ds = mock_experiment()
    for name in ("to_wide", "melt_loss", "melt_metrics"):
        pd.testing.assert_frame_equal(getattr(ds.apexr, name)(), getattr(analysis, name)(ds))
    assert len(ds.apexr.melt_sample_rollouts()) == 3
    pd.testing.assert_frame_equal(ds.apexr.to_long("nRMSE"), analysis.to_long(ds, "nRMSE"))


def test_signatures_are_those_of_the_functions():
    ds = mock_experiment()
    for holder, module in ((ds.apexr, analysis), (ds.apexr.plot, plots)):
        names = [name for name, kept in vars(type(holder)).items() if isinstance(kept, FunctionOf)]
        for name in names:
            method = getattr(holder, name)
            function = method.func
            assert function.__name__ == name
            assert name == "validate" or function is getattr(module, name)
            own = list(inspect.signature(method).parameters)
            assert own == list(inspect.signature(function).parameters)[1:]
            assert method.__doc__ == function.__doc__


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
