"""Data that are read while a network is trained: the same numbers, within the budget."""

import numpy as np
import pytest

import _recordings as files
import apexr
from _recordings import NET, SIZES, assert_equal, trained
from apexr.errors import MissingExtraError, StoreError
from apexr.training import Streamed


def both(path, memory="20kB", **options):
    """Return a scenario in memory and one that streams."""
    given = {**SIZES, **options}
    return apexr.Recorded(path, **given), apexr.Recorded(path, data_memory=memory, **given)


@pytest.mark.parametrize("options", [{"train": "one"}, {"train": "sup;3", "num_seeds": 3}])
def test_streamed_data_train_to_the_same_bits(tmp_path, options):
    files.write_pdebench(tmp_path / "a.hdf5", samples=100)
    held, streamed = both(tmp_path / "a.hdf5", "30kB", record_loss_every=4)
    assert not isinstance(streamed.recorded_data("train"), np.ndarray)
    assert_equal(trained(held, **options), trained(streamed, **options))


def test_a_short_last_batch_and_callbacks(tmp_path):
    files.write_pdebench(tmp_path / "a.hdf5", samples=12)
    sizes = {"batch_size": 7, "optim_config": "adam;23;constant;1e-3", "record_loss_every": 5}
    options = {**sizes, "callbacks": "weight_norm;3,metrics;11"}
    held, streamed = both(tmp_path / "a.hdf5", "8kB", **options)
    first, second = trained(held), trained(streamed)
    assert_equal(first, second)
    np.testing.assert_array_equal(first[0].weight_norm, second[0].weight_norm)


def test_other_formats_stream(tmp_path):
    values = files.numbers(40, 7, 2, 16)
    np.save(tmp_path / "a.npy", values)
    dims = ("sample", "time", "channel", "x")
    ds = apexr.Recorded(values, dims=dims, split="last;8").get_train_data()
    ds.to_dataset(name="u").to_zarr(tmp_path / "a.zarr", consolidated=False)
    for path, options in ((tmp_path / "a.npy", {"dims": dims}), (tmp_path / "a.zarr", {})):
        held, streamed = both(path, stride=2, split="last;8", **options)
        assert_equal(trained(held), trained(streamed))


def test_large_sets_for_testing_are_read_block_by_block(tmp_path, monkeypatch):
    from apexr.engine import _evaluate
    from apexr.experiment import _data

    files.write_pdebench(tmp_path / "a.hdf5", samples=20)
    scenario = apexr.Recorded(tmp_path / "a.hdf5", split="last;7", num_trjs_returned=2, **SIZES)
    whole = trained(scenario)
    for module in (_evaluate, _data):
        monkeypatch.setattr(module, "STREAMED_BYTES", 3 * 7 * 16 * 4)
    blocks = trained(scenario)
    assert blocks[0].sizes == whole[0].sizes
    np.testing.assert_allclose(blocks[0].nRMSE, whole[0].nRMSE, rtol=1e-5)
    np.testing.assert_allclose(blocks[0].sample_rollout, whole[0].sample_rollout, atol=1e-5)


def test_an_interrupted_training_goes_on_with_the_same_bits(tmp_path):
    files.write_pdebench(tmp_path / "a.hdf5", samples=30)
    options = {"optim_config": "adam;40;constant;1e-3", "record_loss_every": 5}
    held, streamed = both(tmp_path / "a.hdf5", "10kB", **options)
    expected = trained(held)

    class Stop:
        every = 5

        def __call__(self, moment):
            if moment.update_step == 20:
                raise KeyboardInterrupt

    store = tmp_path / "store.zarr"
    given = {"store": store, "checkpoint_seconds": 0.0, **NET}
    with pytest.raises(KeyboardInterrupt):
        apexr.run(streamed, trackers=[Stop()], **given)
    seen = []

    class Look:
        every = 5

        def __call__(self, moment):
            seen.append(moment.update_step)

    result = apexr.run(streamed, trackers=[Look()], **given)
    assert min(seen) >= 15
    for name in ("train_loss", "nRMSE", "sample_rollout"):
        np.testing.assert_array_equal(result[name].values, expected[0][name].values)


def test_a_reading_that_fails_ends_the_training(tmp_path, monkeypatch):
    from apexr.scenarios.recorded import _view

    files.write_pdebench(tmp_path / "a.hdf5", samples=30)
    _, streamed = both(tmp_path / "a.hdf5", "10kB")
    trained(streamed)  # looked at by now
    real = _view.View.read

    def fails(self, trajectory, first, last):
        if last - first == 2:
            raise StoreError("the disk is gone")
        return real(self, trajectory, first, last)

    monkeypatch.setattr(_view.View, "read", fails)
    with pytest.raises(StoreError, match="the disk is gone"):
        trained(streamed)


def test_without_the_loader_there_is_a_clear_answer(tmp_path, monkeypatch):
    import sys

    files.write_pdebench(tmp_path / "a.hdf5", samples=30)
    _, streamed = both(tmp_path / "a.hdf5", "10kB")
    monkeypatch.setitem(sys.modules, "grain", None)
    with pytest.raises(MissingExtraError, match=r"apexr\[streaming\]"):
        trained(streamed)


@pytest.mark.parametrize(("train", "batch"), [("one", 2), ("sup;3", 1)])
def test_large_states_stream_to_the_same_bits(tmp_path, train, batch):
    np.save(tmp_path / "a.npy", files.numbers(7, 8, 1, 96, 96))
    dims = ("sample", "time", "channel", "x", "y")
    options = {"dims": dims, "split": "last;1", "batch_size": batch}
    held, streamed = both(tmp_path / "a.npy", "1.3MB", **options)
    held, streamed = (trained(one, train=train, net="Conv;8;2;relu") for one in (held, streamed))
    assert_equal(held, streamed)


def test_windows_stand_in_rows_of_some():
    """Which frames a window has follows from its number as it does in memory."""
    from apexr.kernels import gather_windows
    from apexr.training._stream import Room, WindowSource

    values = files.numbers(3, 7, 2, 5)
    data = Streamed(values.shape, "f4", lambda n, first, last: values[n, first:last])
    for length in (2, 3, 4, 7):
        count = 7 - length + 1
        indices = np.arange(3 * count, dtype="i4").reshape(1, 1, -1)
        room = Room(length, 1, 3 * count, 1 if length == 7 else 3)
        frames, numbers = WindowSource(data, room, indices, ((0, 1),))[0]
        assert frames.shape == (2, room.frames, 5)
        found = np.asarray(gather_windows(frames, numbers[0, 0], room.num_frames, length))
        for place in range(3 * count):
            sample, start = divmod(place, count)
            window = np.moveaxis(values[sample, start : start + length], 1, 0)
            np.testing.assert_array_equal(found[:, place], window)
