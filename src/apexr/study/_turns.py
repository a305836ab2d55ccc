"""Whose turn it is: two processes on one study share its experiments instead of racing."""

from collections.abc import Iterable, Iterator

from apexr import store as stores
from apexr._typing import PathInput
from apexr.study._configs import Planned


def in_turn(planned: Iterable[Planned], store: PathInput) -> Iterator[Planned]:
    """Yield each experiment while it is claimed for this process.

    Those that another process works on come last, when it is done with them: then they are
    published, or it has died and they are free.
    """
    later = []
    for one in planned:
        with stores.claim(store, one.id, wait=False) as mine:
            if mine:
                yield one
            else:
                later.append(one)
    for one in later:
        with stores.claim(store, one.id):
            yield one
