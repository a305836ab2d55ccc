"""Whether emulators are better than the solver that they were trained on."""

import xarray as xr

from apexr.analysis._entries import with_worst, worst_of
from apexr.analysis._select import pick
from apexr.errors import MissingVariableError, SpecError
from apexr.schema import TRAIN_SOLVER


def superiority(ds: xr.Dataset, variable: str = "mean_nRMSE") -> xr.DataArray:
    """Return the error of emulators over that of the solver that made their training data.

    Both are judged by the solver of the test data, from the same test states. With the mean over
    the test samples, ``ξ[t] = err(emulator, t) / err(train solver, t)``. Below 1 the emulator is
    better than its training data. A seed that diverged has infinity. Nothing is computed where
    ``ds`` is lazy.

    Parameters
    ----------
    ds
        A result or a study of scenarios with ``train_solver`` or ``test_solver``. Experiments of a
        study without them have NaN.
    variable
        Name or config string of a metric; errors of each test sample, such as ``nRMSE``, give a
        ratio of each.

    Returns
    -------
    xarray.DataArray
        With the dimensions of the metric.

    Raises
    ------
    MissingVariableError
        If there is no such metric, or no other solver made the training data.
    SpecError
        If the metric is none that is small where a prediction is good.

    References
    ----------
    Koehler and Thuerey (2025), "Neural Emulator Superiority: When Machine Learning for PDEs
    Surpasses its Training Data", arXiv:2510.23111.

    Examples
    --------
    >>> ds = apexr.run("diff_burgers", train_solver="fd;1.0;1", test_solver="fd;1.0;100")
    >>> apexr.analysis.superiority(ds).median("seed").sel(time=[1, 10])
    """
    emulators = pick(ds, variable)
    name = f"{TRAIN_SOLVER}{emulators.name}"
    if name not in ds:
        raise MissingVariableError(
            f"no {name!r} here: the solver of the test data made the training data too; run the"
            " experiment with another train_solver, such as train_solver='fd;1.0;1'"
        )
    if worst_of(emulators) < 0:
        raise SpecError(f"{emulators.name} is no error: a ratio of it tells nothing; take another")
    ratio: xr.DataArray = with_worst(emulators) / with_worst(ds[name])
    label = f"{emulators.attrs.get('long_name', emulators.name)} over that of the training data"
    return ratio.rename("superiority").assign_attrs(
        long_name=label, units="1", of=str(emulators.name)
    )
