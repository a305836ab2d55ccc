"""Reading never writes: every public function that reads, on a file system that cannot be written.

This file is a program, too: a fresh process reads, with a hook that sees every operation on files.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import NET, SIZES
from apexr import cli, dashboard, store
from apexr import study as study_runner
from apexr.errors import ApexrError, ApexrWarning
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

IDS = [f"{number:032x}" for number in (1, 2)]
DS = mock_experiment(num_points=8, num_times=3, num_test_samples=2)
CONFIG = {"net": NET, **SIZES}
STUDY = {"scenario": "diff_adv", **CONFIG}


# --- what is read ----------------------------------------------------------------------------


def planned():
    """Return a result of a real experiment that was never trained, and its weights."""
    from apexr._run import plan_experiment
    from apexr.engine import named_shapes, skeleton
    from apexr.scenarios import Request, emulator_plan

    request = Request("predict", NET, "one", 0, 1, None)
    scenario, experiment = plan_experiment("diff_adv", request, dict(SIZES))
    shapes = named_shapes(skeleton(emulator_plan(scenario, "predict", NET)))
    ds = mock_experiment(net=NET, num_points=16, seeds=(0,)).assign_attrs(experiment.attrs)
    return ds, {name: np.zeros(shape, "f4") for name, shape in shapes.items()}


def fill(root):
    """Make one store of each kind."""
    ds, weights = planned()
    name = ds.attrs["experiment_id"]
    for study, packed in (("study.zarr", False), ("packed.zarr", True)):
        path = root / study
        store.create_study(path)
        for number, one in enumerate(IDS):
            mock = mock_experiment(net=f"Conv;{number};1;relu", random_seed=number)
            store.publish_experiment(mock, {}, store.unit_path(path, one), packed=packed)
        store.publish_experiment(ds, weights, store.unit_path(path, name), packed=packed)
        store.Study.at(path).notes.record_failure("f" * 32, ValueError("bad"), {"net": "x"})
        store.Checkpoints(store.unit_path(path, "f" * 32), {}, 0).save(1, {"a": np.ones(3)})
        (path / ".locks").mkdir()
        (path / ".locks" / ("f" * 32)).write_text("[1, 2]")
        (path / ".plans").mkdir()
        plan = {"experiments": [{"id": "e" * 32, "config": {"net": "y"}, "seeds": [0]}]}
        (path / ".plans" / f"{'d' * 32}.json").write_text(json.dumps(plan))
    store.keep_index(root / "packed.zarr")  # the other has none: it is read without
    shutil.copytree(root / "study.zarr", root / "broken.zarr")
    (root / "broken.zarr" / "experiments" / IDS[0] / "manifest.json").write_text("{")
    store.publish_experiment(ds, weights, root / "one.zarr")
    store.Checkpoints(root / "one.zarr", {}, 0).save(1, {"a": np.ones(3)})
    store.publish_experiment(ds, weights, root / "small.zarr", packed=True)
    store.publish_dataset(DS, root / "data.zarr")
    store.publish_dataset(DS, root / "data.nc")
    store.export_safetensors(root / "one.zarr", root / "weights.safetensors")
    array = DS["sample_rollout"].isel(seed=0, drop=True)
    chunks = (1, *array.shape[1:])
    with store.writing_trajectories(array, root / "trajectories.zarr", chunks) as writer:
        writer.write(slice(None), slice(None), array.values)
    return name


def command(*words):
    """Run a command of the command line."""
    sys.argv = ["apexr", *map(str, words)]
    try:
        cli.main()
    except SystemExit as stop:
        assert not stop.code, words


def readers(root, out, name):
    """Return everything that reads, by the public name that it stands for."""
    from apexr.store.study._open import ApexrBackend

    study, one = root / "study.zarr", root / "one.zarr"
    both = (study, root / "packed.zarr")
    unit = store.unit_path(study, name)
    into = out / "into.zarr"
    exports = ("csv", "wide", "netcdf", "parquet", "safetensors")
    of = {"safetensors": one}
    return {
        "open_study": lambda: [apexr.open_study(path).load() for path in both],
        "open_rollouts": lambda: [apexr.open_rollouts(path).load() for path in both],
        "list_experiments": lambda: [apexr.list_experiments(path) for path in both],
        "open_experiment": lambda: [
            apexr.open_experiment(path).load() for path in (one, root / "small.zarr", unit)
        ],
        "open_trajectories": lambda: apexr.open_trajectories(root / "trajectories.zarr").load(),
        "open_dataset": lambda: [
            store.open_dataset(root / path).load() for path in ("data.zarr", "data.nc")
        ],
        "engine": lambda: [
            xr.open_dataset(path, engine=ApexrBackend).load() for path in (*both, one)
        ],
        "read_weights": lambda: [store.read_weights(path) for path in (one, unit)],
        "load_networks": lambda: [
            *(apexr.load_networks(path, name) for path in both),
            *(apexr.load_networks(root / path) for path in ("one.zarr", "weights.safetensors")),
        ],
        "read_safetensors": lambda: store.read_safetensors(root / "weights.safetensors"),
        "seeds_of_file": lambda: store.seeds_of_file(
            root / "weights.safetensors", store.read_safetensors(root / "weights.safetensors")[1]
        ),
        "read_manifest": lambda: store.read_manifest(one),
        "failures": store.Study.at(study).notes.failures,
        "progress": lambda: store.Study.at(study).notes.progress("f" * 32),
        "claimed": store.Study.at(study).notes.claimed,
        "parts": lambda: [store.Study.at(path).parts() for path in both],
        "full_id": lambda: [store.Study.at(path).full_id(IDS[0]) for path in both],
        "specifications": lambda: [store.Study.at(path).specifications(IDS) for path in both],
        "plans order in_order": lambda: [
            (notes.plans(), notes.order(), notes.in_order(IDS))
            for notes in (store.Study.open(path).notes for path in both)
        ],
        "open units unit units_behind is_there": lambda: [
            (one.units(), one.unit(IDS[0]), one.units_behind(IDS[0]), one.is_there())
            for one in map(store.Study.open, both)
        ],
        "recorded_sources": lambda: [store.recorded_sources(store.Study.at(p)) for p in both],
        "newest_update": lambda: store.newest_update(unit),
        "verify": lambda: [store.verify(path) for path in (*both, one, root / "small.zarr")],
        "kind_of": lambda: store.kind_of(one),
        "is_published": lambda: store.is_published(one),
        "is_study": lambda: store.is_study(study),
        "unit_path": lambda: store.unit_path(study, IDS[0]),
        "check_dataset_path": lambda: store.check_dataset_path(root / "data.zarr"),
        "place": lambda: store.place(study),
        "merge": lambda: store.merge(into, *both),
        "export_safetensors": lambda: store.export_safetensors(one, out / "out.safetensors"),
        "preview": lambda: [
            study_runner.preview(study_runner.plan_study({**STUDY, "start_seed": 7}), path)
            for path in both
        ],
        "damaged": lambda: _of_a_damaged_one(root / "broken.zarr"),
        "study_page": lambda: dashboard.study_page(study),
        "apexr show": lambda: [command("show", path) for path in (*both, one)],
        "apexr verify": lambda: command("verify", study),
        "apexr export": lambda: [
            command("export", of.get(kind, study), "--format", kind, "--output", out / kind)
            for kind in exports
        ],
        "apexr dashboard": lambda: command("dashboard", study, "--export", out / "page.html"),
    }


def finished(root):
    """Return what runs nothing, since all is there, and would tidy up where it may."""
    both = (root / "study.zarr", root / "packed.zarr")
    one = root / "one.zarr"
    return {
        "run": lambda: apexr.run("diff_adv", **CONFIG, store=one, progress=False).load(),
        "run_study": lambda: [apexr.run_study(STUDY, path, progress=False).load() for path in both],
    }


def _of_a_damaged_one(study):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApexrWarning)
        apexr.open_study(study).load()
    assert "damaged" in set(apexr.list_experiments(study).state)
    try:
        store.verify(study)
    except ApexrError:
        return
    raise AssertionError("verify says nothing")


def writers(root, name):
    """Return everything that writes to a store."""
    study, one = root / "study.zarr", root / "one.zarr"
    new = store.unit_path(study, "a" * 32)
    array = DS["sample_rollout"].isel(seed=0, drop=True)

    def write():
        with store.writing_trajectories(array, root / "new.zarr", (1, *array.shape[1:])):
            raise AssertionError

    def claim():
        with store.Study.at(study).notes.claim(IDS[0]):
            raise AssertionError

    def plan():
        with store.Study.at(study).notes.planned([]):
            raise AssertionError

    return {
        "publish_experiment": lambda: store.publish_experiment(DS, {}, new),
        "publish_experiment packed": lambda: store.publish_experiment(DS, {}, new, packed=True),
        "publish_experiment overwrite": lambda: store.publish_experiment(
            DS, {}, one, overwrite=True
        ),
        "publish_seeds": lambda: store.publish_seeds(
            store.open_experiment(one).load().assign_coords(seed=[5]), {}, store.Study.at(study)
        ),
        "publish_dataset": lambda: store.publish_dataset(DS, root / "new.zarr"),
        "publish_dataset netcdf": lambda: store.publish_dataset(DS, root / "new.nc"),
        "writing_trajectories": write,
        "create_study": lambda: store.create_study(root / "new.zarr"),
        "check_writable": lambda: store.check_writable(root / "new.zarr"),
        "check_trajectories": lambda: store.check_trajectories(root / "new.zarr", 1),
        "claim": claim,
        "planned": plan,
        "note_order": lambda: store.Study.at(study).notes.note_order(["a" * 32]),
        "record_failure": lambda: store.Study.at(study).notes.record_failure(
            IDS[0], ValueError("x"), {}
        ),
        "copy_failure": lambda: store.Study.at(study).notes.copy_failure({"id": "c" * 32}),
        "forget_failure": lambda: store.Study.at(study).notes.forget_failure("f" * 32),
        "Checkpoints": lambda: store.Checkpoints(one, {}, 0).save(2, {"a": np.ones(1)}),
        "keep_index": lambda: store.keep_index(study),
        "pack": lambda: store.pack(study),
        "merge": lambda: store.merge(study, root / "packed.zarr", root / "broken.zarr"),
        "repair": lambda: store.repair(root / "broken.zarr"),
        "export_safetensors": lambda: store.export_safetensors(one, root / "new.safetensors"),
        "run": lambda: apexr.run(
            "diff_adv", **CONFIG, start_seed=7, store=root / "new.zarr", progress=False
        ),
        "run_study": lambda: apexr.run_study({**STUDY, "start_seed": 7}, study, progress=False),
    }


NEITHER = {
    *("SAFETENSORS", "WORTH_AN_INDEX", "ConflictError", "Part", "Place", "Repaired"),
    *("Study", "Notes", "notes"),  # their methods are asked one by one
    *(
        "TrajectoryWriter",
        "at",
        "is_url",
        "check_shapes",
        "in_short",
        "ranges",
        "short_ids",
    ),
    *("join_experiments", "note_parts", "note_progress"),  # given Datasets; the others give up
}
"""Public names of the store that touch no store."""


# --- the process that reads ------------------------------------------------------------------

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGING = {
    **{f"os.{name}": ((0, 1),) for name in ("remove", "rmdir")},
    **{f"os.{name}": ((0, 2),) for name in ("mkdir", "chmod")},
    **{f"os.{name}": ((0, 2), (1, 3)) for name in ("rename", "link")},
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
}
"""Where an event has the names that are changed, and the folders in which they are."""
WITHIN = "open within some folder"
ELSEWHERE = ("merge",)
"""What writes to another store besides, within open folders of that."""


def watch(root, seen):
    """Note every operation of this process that would change something below a folder."""
    start = f"{root}{os.sep}"

    def inside(path, folder=None):
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        base = os.getcwd() if folder in (None, -1) else os.readlink(f"/proc/self/fd/{folder}")
        return os.path.join(base, os.fsdecode(path)).startswith(start)

    def hook(event, arguments):
        if event == "open":
            path, mode, flags = arguments
            named = not isinstance(path, int)
            # of a name that is opened within an open folder, the event does not say in which
            within = named and mode is None and not os.path.isabs(path)
            if (flags or 0) & WRITING and named and (within or inside(path)):
                seen.append(f"{WITHIN if within else event} {path!r} {flags}")
        elif event in CHANGING:
            for name, folder in CHANGING[event]:
                if inside(arguments[name], None if folder is None else arguments[folder]):
                    seen.append(f"{event} {arguments[name]!r}")

    sys.addaudithook(hook)


def state(root):
    """Return what tells whether anything below a folder was changed; its time cannot be set."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in ("", *folders, *files):
            told = os.lstat(os.path.join(folder, name))
            times = (told.st_mtime_ns, told.st_ctime_ns)
            found[os.path.join(folder, name)] = (told.st_mode, told.st_size, told.st_ino, *times)
    return found


def main(root, out, name):
    from apexr.store.study import _open

    _open.INDEX_FROM = 1
    os.chdir(out)
    seen, before, done = [], state(root), {}
    watch(root, seen)
    for called, read in readers(root, out, name).items():
        told = said(read)
        if called in ELSEWHERE:
            seen[:] = [event for event in seen if not event.startswith(WITHIN)]
        done[called] = "changed" if state(root) != before else "; ".join(seen) or told
        seen.clear()
    opened, refused = {}, {}
    if not os.access(root, os.W_OK):
        opened = {called: said(read) for called, read in finished(root).items()}
        refused = {called: said(write) for called, write in writers(root, name).items()}
    print(json.dumps([done, opened, refused, state(root) == before]))


def said(action):
    """Return how something ended."""
    try:
        action()
    except ApexrError as error:
        return f"refused: {error}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return "done"


# --- the tests -------------------------------------------------------------------------------


def mounted(root):
    """Return the words that run a command where a folder is mounted to be read alone, if any."""
    if shutil.which("unshare") is None:
        return []
    mount = f"mount --bind '{root}' '{root}' && mount -o remount,ro,bind '{root}'"
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh"]
    return words if subprocess.run([*words, "true"], check=False).returncode == 0 else []


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Return what readers and writers said of a file system that can only be read."""
    folder = tmp_path_factory.mktemp("read-only").resolve()
    (folder / "root").mkdir()
    (folder / "out").mkdir()
    name = fill(folder / "root")
    words = mounted(folder / "root")
    if not words:  # a right that some machines give to nobody: then the hook alone tells
        for path in (folder / "root").rglob("*"):
            path.chmod(path.stat().st_mode & ~0o222)
        (folder / "root").chmod(0o555)
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parent.parent)])
    done = subprocess.run(
        [*words, sys.executable, __file__, folder / "root", folder / "out", name],
        env={
            **os.environ,
            "MPLCONFIGDIR": str(folder / "out"),
            "PYTHONPATH": paths,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_reader_reads_and_changes_nothing(answers, record_property):
    done, *_, unchanged = answers
    assert {called: told for called, told in done.items() if told != "done"} == {}
    assert unchanged
    record_property("readers", len(done))


def test_what_is_finished_is_opened_where_nothing_can_be_written(answers):
    assert set(answers[1].values()) <= {"done"}


def test_every_writer_says_that_it_may_not(answers):
    wrong = {called: told for called, told in answers[2].items() if "refused: " not in told}
    assert wrong == {}


def test_every_public_name_of_the_store_is_asked(tmp_path):
    asked = {*readers(tmp_path, tmp_path, IDS[0]), *finished(tmp_path)}
    asked |= {*writers(tmp_path, IDS[0])}
    named = {*(word for name in asked for word in name.split()), *NEITHER}
    methods = {name for kind in (store.Study, store.Notes) for name in vars(kind)}
    assert not {*store.__all__, *(name for name in methods if name[0] != "_")} - named


@pytest.fixture
def other_user(tmp_path_factory):
    """Let this process be one to whom modes of files matter, and lend it a folder."""
    folder = Path(tempfile.mkdtemp()).resolve()
    own = os.geteuid()
    store.create_study(folder / "study.zarr")
    for name in IDS:
        store.publish_experiment(DS, {}, store.unit_path(folder / "study.zarr", name))
    store.Study.at(folder / "study.zarr").notes.record_failure("f" * 32, ValueError("bad"), {})
    if own == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, -1)
        os.seteuid(65534)
    yield folder / "study.zarr"
    os.seteuid(own)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "name",
    [
        *(".", "study.json", "experiments", f"experiments/{IDS[0]}", "failures"),
        *(f"experiments/{IDS[0]}/manifest.json", f"experiments/{IDS[0]}/data.zarr/nRMSE/c.0.0.0"),
        f"failures/{'f' * 32}.json",
    ],
)
def test_what_may_not_be_read_is_said_in_plain_words(other_user, name):
    (other_user / name).chmod(0)
    refused = []
    for read in (
        lambda: apexr.open_study(other_user).load(),
        lambda: apexr.list_experiments(other_user),
        lambda: apexr.open_experiment(other_user, IDS[0]).load(),
        lambda: store.verify(other_user),
        lambda: store.repair(other_user),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ApexrWarning)
            try:
                read()
            except ApexrError as error:
                refused.append(str(error))
    assert any("Permission denied" in told for told in refused)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
