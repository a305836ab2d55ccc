"""Damaged files never give a number: flips, cuts, deletions, zeros; folders and packed files."""

import random
import shutil

import numpy as np
import pytest
import xarray as xr

from apexr import store
from apexr.errors import StoreError
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

WEIGHTS = {"layers/0": np.arange(1, 7, dtype=np.float32).reshape(2, 3), "scale": np.array(3.5)}
DS = mock_experiment(diverged=[1], num_points=8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    unit = tmp_path_factory.mktemp("whole") / "experiments" / ("a" * 32)
    return store.publish_experiment(DS, WEIGHTS, unit)


def flip(content, rng):
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def cut(content, rng):
    return content[: rng.randrange(len(content))]


def delete(content, rng):
    return None


def zero(content, rng):
    return bytes(len(content))


def damages(unit, flips, cuts, every):
    """Return files and what is done to them: some flips and cuts, some files lost and zeroed."""
    rng = random.Random(3)
    files = [path.relative_to(unit) for path in sorted(unit.rglob("*")) if path.is_file()]
    chosen = [(rng.choice(files), flip) for _ in range(flips)]
    chosen += [(rng.choice(files), cut) for _ in range(cuts)]
    chosen += [(name, harm) for name in files[::every] for harm in (delete, zero)]
    return chosen, rng


def check_damage(unit, name, harm, rng):
    """Damage one file, and check that it is named and that no wrong number is read."""
    path = unit / name
    content = path.read_bytes()
    harmed = harm(content, rng)
    path.unlink() if harmed is None else path.write_bytes(harmed)
    try:
        with pytest.raises(StoreError, match=name.name):
            store.verify(unit)
        check_reading(unit)
    finally:
        path.write_bytes(content)


def check_reading(unit):
    """Check that everything that can be read is right."""
    try:
        ds = store.open_experiment(unit)
    except StoreError:
        return
    assert ds.attrs == DS.attrs
    for variable in ds.variables:
        try:
            read = ds[variable].load()
        except StoreError as error:
            assert "content changed" in str(error)
        else:
            xr.testing.assert_identical(read.variable, DS[variable].variable)
    try:
        weights = store.read_weights(unit)
    except StoreError:
        return
    for name, values in WEIGHTS.items():
        np.testing.assert_array_equal(weights[name], values)


def test_some_damages(whole):
    chosen, rng = damages(whole, 12, 12, 4)
    for name, harm in chosen:
        check_damage(whole, name, harm, rng)
    xr.testing.assert_identical(store.open_experiment(whole).load(), DS)


@pytest.mark.slow
def test_all_damages(whole, record_property):
    chosen, rng = damages(whole, 200, 200, 1)
    record_property("damages", len(chosen))
    assert len(chosen) >= 424
    for name, harm in chosen:
        check_damage(whole, name, harm, rng)


def test_loss_after_opening_is_noticed(whole, tmp_path):
    unit = tmp_path / "experiments" / whole.name
    shutil.copytree(whole, unit)
    ds = store.open_experiment(unit)
    (unit / "data.zarr" / "mean_nRMSE" / "c.0.0").unlink()
    with pytest.raises(StoreError, match=r"mean_nRMSE/c.0.0: missing"):
        ds.mean_nRMSE.load()


@pytest.mark.parametrize("harm", [flip, cut, zero])
def test_damages_of_a_packed_unit(whole, tmp_path, harm):
    unit = tmp_path / "experiments" / whole.name
    store.publish_experiment(DS, WEIGHTS, unit, packed=True)
    packed = unit.with_name(unit.name + ".zip")
    content, rng = packed.read_bytes(), random.Random(5)
    for _ in range(15):
        packed.write_bytes(harm(content, rng))
        with pytest.raises(StoreError, match=packed.name):
            store.verify(unit)
        check_reading(unit)
    packed.write_bytes(content)
    store.verify(unit)
    xr.testing.assert_identical(store.open_experiment(unit).load(), DS)


def test_what_is_damaged_is_put_aside_and_can_be_published_again(tmp_path):
    study = tmp_path / "study"
    store.create_study(study)
    units = [store.unit_path(study, f"{number:032x}") for number in range(4)]
    for unit in units:
        store.publish_experiment(DS, {}, unit)
    (units[0] / "data.zarr" / "time" / "c.0").write_bytes(b"")
    (units[1] / "manifest.json").unlink()
    (study / "experiments" / "stray").mkdir()
    (study / "failures").mkdir(exist_ok=True)
    (study / "failures" / f"{9:032x}.json").write_text("{")
    (study / ".staging").mkdir(exist_ok=True)
    (study / ".staging" / f"{5:032x}-{6:032x}").mkdir()
    (study / ".staging" / "somebody else's").mkdir()
    for number in (0, 2, 7):  # damaged, published, not run yet
        store.Checkpoints(store.unit_path(study, f"{number:032x}"), {}, 0).save(1, {})
    done = store.repair(study)
    assert len(done.moved) == 4
    assert done.swept == 1
    assert all(place.exists() for place in done.moved.values())
    assert (study / ".staging" / "somebody else's").exists()
    assert store.verify(study) == 2
    assert not store.is_published(units[0])
    store.publish_experiment(DS, {}, units[0])
    assert store.repair(study).moved == {}
    assert [path.name for path in (study / "checkpoints").iterdir()] == [f"{7:032x}"]


def test_repair_of_a_study_that_lost_its_marker(tmp_path):
    store.create_study(tmp_path)
    store.publish_experiment(DS, {}, store.unit_path(tmp_path, "a" * 32))
    (tmp_path / "study.json").unlink()
    store.repair(tmp_path)
    assert store.verify(tmp_path) == 1


def test_repair_of_one_unit(tmp_path):
    unit = store.publish_experiment(DS, {}, tmp_path / "a.zarr")
    assert store.repair(unit).moved == {}
    (unit / "zarr.json").unlink()
    (place,) = store.repair(unit).moved.values()
    assert place.parent == tmp_path
    assert not unit.exists()
    with pytest.raises(StoreError, match="no store"):
        store.repair(unit)
