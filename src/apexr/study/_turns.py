"""Whose turn it is: two processes on one study share its experiments instead of racing."""

from collections.abc import Callable, Iterable, Iterator

from apexr import store as stores
from apexr.experiment import Experiment
from apexr.study._configs import Planned
from apexr.study._work import Work


def in_turn(
    work: Iterable[Work], study: stores.Study, remaining: Callable[[Planned], list[Experiment]]
) -> Iterator[Work]:
    """Yield each experiment, and what is to be run of it, while it is claimed for this process.

    Those that another process works on come last, when it is done with them: then they are
    published, or it has died and they are free. The rest of them is requested again.
    """
    later = []
    for one, parts in work:
        with study.notes.claim(one.id, wait=False) as mine:
            if mine:
                yield one, parts
            else:
                later.append(one)
    for one in later:
        with study.notes.claim(one.id):
            yield one, remaining(one)
