"""Whether recorded data are still those that a study has been run on."""

from collections.abc import Sequence

from apexr import store as stores
from apexr.errors import StoreError
from apexr.study._configs import Planned


def check_data(pending: Sequence[Planned], study: stores.Study) -> None:
    """Refuse to go on with a study whose recorded data have another content by now.

    Experiments are known by the content of their data, so that the changed file would begin new
    ones next to those of the old, under the same labels.

    Raises
    ------
    StoreError
        Naming the source and both digests.
    """
    asked = [one for one in pending if "source_digest" in one.experiment.attrs]
    if not asked or not study.is_there():
        return
    held = {
        tuple(sorted(labels.items())): (name, content)
        for name, (labels, content) in stores.recorded_sources(stores.Study.open(study)).items()
    }
    for one in asked:
        attrs = one.experiment.attrs
        labels = {name: str(label) for name, label in one.experiment.config.items()}
        name, content = held.get(tuple(sorted(labels.items())), ("", attrs["source_digest"]))
        if content != attrs["source_digest"]:
            raise StoreError(
                f"{attrs['source']} has changed since {study} was run on it (digest {content} then,"
                f" {attrs['source_digest']} now; experiment {name}). Choose another store for the"
                " new data, bring the old data back, or say overwrite=True to have results of both"
                " side by side"
            )
