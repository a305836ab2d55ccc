"""Study files that try to run code, or to take time or memory."""

import json

NOT_WRONG = ("huge_grid.toml",)
"""Those that may be meant: what they ask for is refused when it is run, by its size."""


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
        "twice_many.json": json.dumps({str(n): 0 for n in range(40_000)})[:-1] + ', "9": 0}',
        "product.toml": "".join(f"k{n} = [{'1, ' * 99}1]\n" for n in range(30)),
        "many.json": json.dumps([{}] * 100_000),
        "as_many.json": json.dumps([{}] * 20_000),
        "huge_grid.toml": f"{valid}num_points = 1000000000\nnum_spatial_dims = 3\n",
        "huge_net.toml": f'{valid}net = "Conv;1000000000;1000000000;relu"\n',
        "huge_fno.toml": f'{valid}net = "FNO;100000;1000000;4;gelu"\n',
        "seeds.toml": f"{valid}num_seeds = 4000000000\n",
    }
    return {name: held.encode() if isinstance(held, str) else held for name, held in files.items()}
