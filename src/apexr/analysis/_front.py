"""What nothing else beats in cost and error."""

import numpy as np

from apexr.errors import ShapeError


def pareto_front(cost: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the places of what nothing else beats in cost and error, in order of cost.

    Entries that are not finite are beaten by everything.

    Raises
    ------
    ShapeError
        If they are not as many costs as errors, along one axis.
    """
    if cost.ndim != 1 or cost.shape != error.shape:
        raise ShapeError(
            f"pareto_front needs as many costs as errors, got {cost.shape} and {error.shape}"
        )
    best, front = np.inf, []
    for place in np.lexsort((error, cost)):
        if np.isfinite(cost[place]) and error[place] < best:
            best = error[place]
            front.append(int(place))
    return np.array(front, dtype=int)
