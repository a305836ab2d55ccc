"""A study as data: lists, grids and files; errors with their places; nothing hostile runs."""

import json
import time
from pathlib import Path

import pytest

import apexr
from _tiny import NET, SIZES, python
from apexr.errors import ApexrWarning, SpecError
from apexr.study import plan_study, read_study
from apexr.study._expand import expand

BASE = {"scenario": "diff_adv", "net": NET, **SIZES}


def configs_of(study):
    return [placed.config for placed in expand(study)]


# --- lists and grids ---------------------------------------------------------------------------


def test_a_grid_is_all_combinations():
    grid = {"scenario": ["a", "b"], "net": ["c", "d", "e"], "num_seeds": 3}
    found = configs_of(grid)
    assert len(found) == 6
    assert found[1] == {"scenario": "a", "net": "d", "num_seeds": 3}
    assert [one["scenario"] for one in found] == ["a"] * 3 + ["b"] * 3


def test_zipped_keys_vary_together():
    grid = {
        "scenario": ["a", "b"],
        "zip": [
            {"net": ["c", "d"], "train": ["one", "sup;2"]},
            {"dt": [1, 2], "vlim": [[0, 1]] * 2},
        ],
    }
    found = configs_of(grid)
    assert len(found) == 2 * 2 * 2
    assert {(one["net"], one["train"]) for one in found} == {("c", "one"), ("d", "sup;2")}
    assert found[0]["vlim"] == [0, 1]
    assert configs_of({**grid, "zip": grid["zip"][0]})[0] == {
        "scenario": "a",
        "net": "c",
        "train": "one",
    }


def test_sections_share_values():
    study = {
        "common": {"scenario": "a", "num_seeds": 2},
        "experiments": [{"net": "c", "vlim": [0, 1]}, {"net": "d", "num_seeds": 5}],
        "grid": [{"net": ["e", "f"]}, {"net": "g"}],
    }
    found = configs_of(study)
    assert [one["net"] for one in found] == ["c", "d", "e", "f", "g"]
    assert [one["num_seeds"] for one in found] == [2, 5, 2, 2, 2]
    assert found[0]["vlim"] == [0, 1]


@pytest.mark.parametrize(
    ("study", "said"),
    [
        ({"common": {}, "experiment": []}, "experiment: expected common, experiments, grid alone"),
        ({"experiments": {"a": 1}}, "experiments: expected a list of tables"),
        ({"common": 3, "grid": {}}, "common: expected a table, got 3"),
        ({"grid": [1]}, "grid[0]: expected a table, got 1"),
        ({"net": []}, "grid.net: an empty list"),
        ({"zip": {"net": ["a"], "train": ["b", "c"]}}, "equally long and not empty; net has 1"),
        ({"zip": {"net": "a"}}, "grid.zip[0].net: expected a list"),
        ({"zip": 4}, "grid.zip: expected a table or a list"),
        ({"zip": [{}]}, "grid.zip[0]: expected a table of lists"),
        ({"net": "a", "zip": {"net": ["a"]}}, "grid.zip[0].net: given twice"),
        ({str(key): list(range(100)) for key in range(40)}, "more than 10^12 experiments"),
        ({"a": list(range(200)), "b": list(range(200))}, "40000 experiments; a study has at most"),
        (7, "a study is a list"),
    ],
)
def test_what_is_no_study(study, said):
    with pytest.raises(SpecError) as caught:
        expand(study)
    assert said in str(caught.value)


# --- errors with their places ------------------------------------------------------------------


def test_all_that_is_wrong_in_one_configuration_is_said():
    wrong = {
        **BASE,
        "net": "Cnv;2",
        "train": "sup;x",
        "task": "predct",
        "num_point": 3,
        "ic_config": "fourier;no",
        "num_seeds": 0,
        "start_seed": -1,
    }
    with pytest.raises(SpecError) as caught:
        plan_study([wrong])
    said = str(caught.value)
    for part in (
        *("unknown network 'Cnv'", "STEPS must be int", "'predct'", "keyword 'num_point'"),
        *("fourier;no", "num_seeds must be", "start_seed must be"),
    ):
        assert part in said
    assert said.count("experiments[0]:") == 7


def test_a_grid_names_the_entry_of_the_axis():
    grid = {**BASE, "net": [NET, "Cnv;2"], "train": ["one", "sup;2"], "advection_gamma": [1, 2, 3]}
    with pytest.raises(SpecError) as caught:
        plan_study(grid)
    said = str(caught.value)
    assert said.startswith("6 of 12 experiments are invalid:\ngrid.net[1] (6 experiments): ")
    assert said.count("unknown network") == 1
    with pytest.raises(SpecError, match=r"within one more list: \[\[…\]\]"):
        plan_study({**BASE, "vlim": [-1, 1]})
    assert len(plan_study({**BASE, "vlim": [[-1, 1]]})) == 1


@pytest.mark.acceptance
def test_a_wrong_study_of_a_hundred_is_answered_at_once():
    nets = [f"Conv;{1 + number % 5};1;tanh" for number in range(50)]
    study = [{**BASE, "net": net, "advection_gamma": n} for n, net in enumerate(nets)]
    study += [{**BASE, "net": "Cnv;2;1;tanh", "num_point": number} for number in range(50)]
    begin = time.process_time()
    with pytest.raises(SpecError) as caught:
        plan_study(study)
    assert time.process_time() - begin < 2
    said = str(caught.value)
    assert said.startswith("50 of 100 experiments are invalid:")
    assert "experiments[50-99]: network config: unknown network 'Cnv'" in said
    assert "experiments[50-99]: unknown scenario keyword 'num_point'" in said


def test_a_study_without_end_is_not_looked_at_to_its_end():
    with pytest.raises(SpecError, match=r"500 of 20000 .* \(and possibly more, not looked at\)"):
        plan_study([{}] * 20_000)


# --- identity ----------------------------------------------------------------------------------

IDS = """
import json, sys
from apexr.study import plan_study
print([one.id for one in plan_study(json.loads(sys.argv[1]))])
"""


@pytest.mark.acceptance
def test_ids_are_those_of_the_specification():
    study = [{**BASE, "advection_gamma": 1, "vlim": [-1, 2]}, {**BASE, "num_points": 20}]
    here = [one.id for one in plan_study(study)]
    assert len(set(here)) == 2
    alike = [
        {**BASE, "advection_gamma": 1.0, "vlim": (-1.0, 2.0), "num_seeds": 7, "start_seed": 2},
        {**BASE, "net": "conv;2;1;TANH", "advection_gamma": 1, "vlim": [-1, 2]},
    ]
    with pytest.warns(ApexrWarning, match="run once"):
        assert [one.id for one in plan_study([*study[:1], *alike])] == here[:1]
    shuffled = [dict(reversed(one.items())) for one in study]
    said = python(IDS, json.dumps(shuffled), env={"PYTHONHASHSEED": "77"})
    assert said.strip() == str(here)


EVERY = """
import json, random, sys, unicodedata
import apexr
from apexr.scenarios import scenario_dict
from apexr.study import plan_study

class Named(apexr.difficulty.Advection):
    gr\u00fc\u00dfe: str = ""

rng = random.Random(int(sys.argv[1]))
form = ("NFC", "NFD")[int(sys.argv[1]) % 2]
number = (int, float)[int(sys.argv[1]) % 2]
text = unicodedata.normalize(form, "gr\u00fc\u00dfe \u1e69")
changes = [{}, {"num_points": 20}, {"vlim": [number(-1), number(2)]}, {"train_seed": 3},
           {"optim_config": "adam;7;constant;1e-3"}]
study = [{"scenario": key, "net": net, "train": train, **change} for key in sorted(scenario_dict)
         for net in ("Conv;2;1;tanh", "Conv;3;1;tanh") for train in ("one", "loss;MAE;one")
         for change in changes]
study += [{"scenario": Named(**{unicodedata.normalize(form, "gr\u00fc\u00dfe"): text * count})}
          for count in (1, 2)]
study += [{"scenario": "diff_adv", "advection_gamma": number(count)} for count in (1, 2)]
ids = []
for one in study:
    keys = list(one)
    rng.shuffle(keys)
    ids.append(plan_study([{key: one[key] for key in keys}])[0].id)
print(json.dumps(ids))
"""


@pytest.mark.acceptance
@pytest.mark.slow
def test_three_processes_agree_on_all_ids(record_property):
    """Each with a hash seed, an order of the keys, numbers and letters of its own form."""
    seeds = ("0", "1", "4242")
    found = [json.loads(python(EVERY, seed, env={"PYTHONHASHSEED": seed})) for seed in seeds]
    assert found[0] == found[1] == found[2]
    assert len({*found[0]}) == len(found[0])
    record_property("ids", len(found[0]))


@pytest.mark.acceptance
def test_text_that_looks_equal_is_equal():
    class Named(apexr.difficulty.Advection):
        grüße: str = ""  # noqa: PLC2401

    composed, decomposed = "gr\u00fc\u00dfe", "gru\u0308\u00dfe"
    study = [{**BASE, "scenario": Named(), composed: composed}]
    study += [{**BASE, "scenario": Named(), decomposed: decomposed}]
    with pytest.warns(ApexrWarning, match="run once"):
        (one,) = plan_study(study)
    assert json.loads(one.experiment.config["scenario_kwargs"])[composed] == composed
    assert Named(**{decomposed: "x"}) == Named(**{composed: "x"})
    with pytest.raises(SpecError, match="'grüße' is given twice"):
        Named(**{decomposed: "x", composed: "x"})
    with pytest.raises(SpecError, match="'grüße' is given twice"):
        plan_study([{**BASE, "scenario": Named(), decomposed: "x", composed: "x"}])
    with pytest.raises(SpecError, match="unknown scenario keyword 3"):
        plan_study([{**BASE, 3: "x"}])


def test_seeds_are_joined_and_overlap_is_said():
    with pytest.warns(ApexrWarning, match=r"experiments\[0\], experiments\[1\]"):
        (one,) = plan_study([{**BASE, "num_seeds": 3}, {**BASE, "start_seed": 2, "num_seeds": 3}])
    assert one.seeds == (0, 1, 2, 3, 4)
    (apart,) = plan_study([{**BASE, "num_seeds": 2}, {**BASE, "start_seed": 8}])
    assert apart.seeds == (0, 1, 8)


# --- files -------------------------------------------------------------------------------------

TOML = """
num_seeds = 2
scenario = "diff_adv"
net = ["Conv;26;10;relu", "FNO;12;8;4;gelu"]
vlim = [[-1, 1]]
[zip]
train = ["one", "sup;3"]
batch_size = [20, 10]
"""


def test_files_hold_what_python_holds(tmp_path):
    (tmp_path / "study.toml").write_text(TOML)
    data = read_study(tmp_path / "study.toml")
    (tmp_path / "study.json").write_text(json.dumps(data))
    assert read_study(str(tmp_path / "study.json")) == data
    assert len(plan_study(tmp_path / "study.toml")) == 4
    (tmp_path / "list.json").write_text(json.dumps([BASE]))
    assert plan_study(tmp_path / "list.json")[0].id == plan_study([BASE])[0].id
    (tmp_path / "windows.toml").write_bytes(b"\xef\xbb\xbf" + TOML.replace("\n", "\r\n").encode())
    assert read_study(tmp_path / "windows.toml") == data


def test_the_file_is_named_in_errors(tmp_path):
    path = tmp_path / "a study ü.toml"
    path.write_text(TOML.replace("FNO", "FNOO"))
    with pytest.raises(SpecError, match=r"a study ü.toml: 2 of 4 .*\n.*grid.net\[1\]"):
        plan_study(path)
    with pytest.raises(SpecError, match=r"no study file to read .*did you mean 'a study ü.toml'"):
        plan_study(tmp_path / "a study u.toml")


def test_a_program_is_run_only_on_demand(tmp_path):
    path = tmp_path / "study.py"
    path.write_text(f"print('ran')\nCONFIGS = [{BASE!r}]\n")
    with pytest.raises(SpecError, match="--allow-python"):
        plan_study(path)
    assert len(plan_study(path, allow_python=True)) == 1
    path.write_text("CONFIG = []")
    with pytest.raises(SpecError, match="expected a list CONFIGS; did you mean 'CONFIG'"):
        plan_study(path, allow_python=True)


def test_the_file_of_the_page_is_a_study():
    docs = Path(__file__).parents[2] / "docs"
    file = docs / "studies" / "study.toml"
    assert file.read_text() in (docs / "studies.md").read_text()
    planned = plan_study(file)
    assert len(planned) == 8
    assert all(one.seeds == (0, 1) for one in planned)
