"""A study as data: lists, grids and files; errors with their places; nothing hostile runs."""

import json
import os
import time
import tracemalloc
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
    assert said.startswith("6 of 12 experiments cannot be meant:\ngrid.net[1] (6 experiments): ")
    assert said.count("unknown network") == 1
    with pytest.raises(SpecError, match=r"within one more list: \[\[…\]\]"):
        plan_study({**BASE, "vlim": [-1, 1]})
    assert len(plan_study({**BASE, "vlim": [[-1, 1]]})) == 1


def test_a_wrong_study_of_a_hundred_is_answered_at_once():
    nets = [f"Conv;{1 + number % 5};1;tanh" for number in range(50)]
    study = [{**BASE, "net": net, "advection_gamma": n} for n, net in enumerate(nets)]
    study += [{**BASE, "net": "Cnv;2;1;tanh", "num_point": number} for number in range(50)]
    begin = time.process_time()
    with pytest.raises(SpecError) as caught:
        plan_study(study)
    assert time.process_time() - begin < 2
    said = str(caught.value)
    assert said.startswith("50 of 100 experiments cannot be meant:")
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


def test_text_that_looks_equal_is_equal():
    class Named(apexr.difficulty.Advection):
        grüße: str = ""  # noqa: PLC2401

    composed, decomposed = "gr\u00fc\u00dfe", "gru\u0308\u00dfe"
    study = [{**BASE, "scenario": Named(), composed: composed}]
    study += [{**BASE, "scenario": Named(), decomposed: decomposed}]
    with pytest.warns(ApexrWarning, match="run once"):
        (one,) = plan_study(study)
    assert json.loads(one.experiment.config["scenario_kwargs"])[composed] == composed


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


def hostile_files(planted):
    """Return names and contents of files that try to run code, or to take time or memory."""
    code = f"__import__('os').system('touch {planted}')"
    keys = "".join(f"k{number} = 1\n" for number in range(20_000))
    kilo = 500 * 1024
    valid = 'scenario = "diff_adv"\n'
    files = {
        "eval.toml": f'scenario = "{code}"\n',
        "eval_net.toml": f'{valid}net = "{code}"\n',
        "eval_key.toml": f'{valid}"{code}" = 1\n',
        "eval_keywords.json": json.dumps([{"scenario": "diff_adv", "scenario_kwargs": code}]),
        "python_tag.json": json.dumps([{"py/object": "os.system", "py/reduce": [code]}]),
        "yaml.toml": f"!!python/object/apply:os.system ['touch {planted}']",
        "pickle.toml": b"\x80\x04cposix\nsystem\n(S'touch x'\ntR.",
        "program.py": f"{code}\nCONFIGS = []",
        "program.toml": f"{code}\nCONFIGS = []",
        "program.json": f"{code}",
        "program": code,
        "shell.sh": f"touch {planted}",
        "shell.toml": f'{valid}ic_config = "$(touch {planted})"\n',
        "format.toml": f'{valid}net = "{{0.__class__.__init__.__globals__}}"\n',
        "dunder.toml": f"{valid}__class__ = 1\n__init__ = 2\n",
        "dunder.json": json.dumps([{"scenario": "diff_adv", "__post_init__": code}]),
        "self.json": json.dumps([{"scenario": "diff_adv", "self": 1, "cls": 2}]),
        "import.toml": f'{valid}net = "os;system;touch {planted}"\n',
        "include.toml": f'{valid}include = "/etc/passwd"\n',
        "path.toml": 'scenario = "../../../etc/passwd"\n',
        "empty.toml": "",
        "empty.json": "",
        "zeros.toml": b"\0" * kilo,
        "binary.json": bytes(range(256)) * 100,
        "surrogate.json": '[{"scenario": "\\ud800"}]',
        "latin.toml": 'scenario = "é"'.encode("latin-1"),
        "large.toml": b"#" * (600 * 1024),
        "larger.json": b" " * (5 * 1024 * 1024),
        "brackets.json": "[" * kilo,
        "brackets.toml": "a = " + "[" * kilo,
        "braces.json": '{"a":' * 80_000,
        "tables.toml": "a = " + "{a=" * 100_000,
        "spread.toml": "a = " + "[1," * 100_000,
        "dotted.toml": "a" + ".a" * (kilo // 2 - 10) + " = 1",
        "quoted.toml": '"a"' + '."a"' * 100_000 + " = 1",
        "header.toml": "[" + "a." * 100_000 + "a]",
        "nested.json": "[" * 500 + "]" * 500,
        "deep.toml": f"{valid}vlim = " + "[" * 20 + "]" * 20,
        "many_keys.toml": keys,
        "long_text.toml": f'{valid}net = "{"Conv;" * 90_000}"',
        "long_key.toml": f"{valid}{'k' * 400_000} = 1",
        "quotes.toml": "'\"" * (kilo // 2),
        "long_number.json": f'[{{"scenario": "diff_adv", "num_points": {"9" * 400_000}}}]',
        "hex_number.toml": f"{valid}num_points = 0x{'f' * 400_000}",
        "exponent.json": '[{"scenario": "diff_adv", "num_points": 1e999}]',
        "nan.json": '[{"scenario": "diff_adv", "advection_gamma": NaN}]',
        "inf.toml": f"{valid}advection_gamma = inf",
        "date.toml": f"{valid}advection_gamma = 1979-05-27",
        "twice.json": '[{"scenario": "diff_adv", "scenario": "diff_burgers"}]',
        "product.toml": "".join(f"k{n} = [{'1, ' * 99}1]\n" for n in range(30)),
        "many.json": json.dumps([{}] * 100_000),
        "as_many.json": json.dumps([{}] * 20_000),
        "huge_grid.toml": f"{valid}num_points = 1000000000\nnum_spatial_dims = 3\n",
        "huge_net.toml": f'{valid}net = "Conv;1000000000;1000000000;relu"\n',
        "huge_fno.toml": f'{valid}net = "FNO;100000;1000000;4;gelu"\n',
        "seeds.toml": f"{valid}num_seeds = 4000000000\n",
    }
    return {name: held.encode() if isinstance(held, str) else held for name, held in files.items()}


NOT_WRONG = ("huge_grid.toml",)


def test_hostile_files_are_data(tmp_path, monkeypatch):
    """Also links to devices and pipes: nothing hangs."""
    planted = tmp_path / "planted"
    ran = []
    for module, name in ((os, "system"), (os, "popen"), (os, "execv")):
        monkeypatch.setattr(module, name, lambda *a, **k: ran.append(a))
    files = hostile_files(planted)
    assert len(files) >= 50
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "device.toml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    plan_study([BASE])  # what is imported and compiled once is not counted
    accepted, slow, large = [], [], []
    for name in [*files, "device.toml", "pipe.toml", "folder.toml"]:
        begin = time.process_time()
        try:
            plan_study(tmp_path / name)
        except SpecError as error:
            large += [name] if len(str(error)) > 100_000 else []
        else:
            accepted.append(name)
        slow += [(name, time.process_time() - begin)] if time.process_time() - begin > 1 else []
    assert set(accepted) <= set(NOT_WRONG)
    assert (slow, large, ran) == ([], [], [])
    assert not planted.exists()


def test_hostile_files_take_little_memory(tmp_path):
    files = hostile_files("planted")
    names = ("brackets.json", "dotted.toml", "spread.toml", "product.toml", "many.json")
    for name in names:
        (tmp_path / name).write_bytes(files[name])
    plan_study([BASE])
    tracemalloc.start()
    for name in names:
        with pytest.raises(SpecError):
            plan_study(tmp_path / name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6


def test_the_file_of_the_page_is_a_study():
    docs = Path(__file__).parents[2] / "docs"
    file = docs / "studies" / "study.toml"
    assert file.read_text() in (docs / "studies.md").read_text()
    planned = plan_study(file)
    assert len(planned) == 8
    assert all(one.seeds == (0, 1) for one in planned)
