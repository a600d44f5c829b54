"""Names and paths on the command line arrive as they are typed, in single runs and in sweeps."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from sentiment_pl.config import command_line, overrides
from sentiment_pl.config import composed as config
from sentiment_pl.config.override_grammar import QUOTED, split
from sentiment_pl.errors import ConfigError
from sentiment_pl.launch import grids
from sentiment_pl.launch.sweep import jobs
from tests.helpers import NO_EVENTS, choices_together

ODD = st.sampled_from("\\'\"${}[](),;:=#&%@~!*? \t\n.-+é评🙂")
ANY_LETTER = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
NAMES = st.text(ODD | ANY_LETTER, min_size=1, max_size=12).filter(
    lambda name: not QUOTED.fullmatch(name) and name.lower() not in ("null", "???")
)
"""What is no quotation and stands for nothing but itself."""
PATHS = NAMES.filter(lambda name: not name.startswith("~"))
SINGLE = (
    "data.text_column", "data.id_column", "data.revision", "data.config", "data.separator",
    "embedding.path", "ckpt_path", "init_from", "run_dir", "pair_column", "hydra.launcher.x_file",
    "callbacks.checkpoint.dirpath", "callbacks.mine.filename", "logger.mine.save_dir",
)  # fmt: skip


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config.register_resolvers()


def value(argument):
    """What Hydra and OmegaConf make of an override."""
    OmegaConf.create([argument])  # as Hydra keeps it
    parsed = OverridesParser.create().parse_override(argument)
    cfg = OmegaConf.create({"key": None})
    OmegaConf.update(cfg, "key", parsed.value(), merge=True)
    return OmegaConf.to_container(cfg, resolve=True)["key"]


def runs_of(*arguments):
    """The overrides of each run of a sweep, composed once more in a process of their own."""
    cfg = OmegaConf.create({"hydra": {"sweeper": {"params": None}}})
    typed = overrides.taken(["-m", *arguments])[1:]
    return jobs(cfg, grids.parse(typed))


@settings(max_examples=300, deadline=None)
@given(key=st.sampled_from(SINGLE), name=PATHS, prefix=st.sampled_from(["", "+", "++"]))
def test_any_name_is_taken_as_typed(key, name, prefix):
    (argument,) = overrides.taken([f"{prefix}{key}={name}"])
    assert argument.startswith(f"{prefix}{key}=")
    assert value(argument) == name
    assert overrides.taken([argument]) == [argument]  # also where the command starts itself again


@settings(max_examples=300, deadline=None)
@given(names=st.lists(PATHS.map(lambda n: n.replace(",", "").strip()).filter(bool), min_size=1,
                      max_size=3))  # fmt: skip
def test_any_name_is_taken_as_typed_in_a_sweep(names):
    names = [n for n in names if n[0] not in "[{'\"" and "(" not in n and n.lower() != "null"]
    if not names:
        return
    found = runs_of(f"data.id_column={','.join(names)}")
    assert [value(argument) for (argument,) in found] == names
    # And so where the first process hands the run to another.
    assert [value(overrides.taken([argument])[0]) for (argument,) in found] == names


@settings(max_examples=300, deadline=None)
@given(names=st.lists(PATHS.filter(str.strip), min_size=2, max_size=3))
def test_any_names_are_taken_as_typed_in_a_list(names):
    odd = set(",[]{}()'\"\\$-0123456789")
    typed = [overrides.quote(n) if set(n) & odd or n != n.strip() else n for n in names]
    for mode in ([], ["-m"]):
        *_, argument = overrides.taken([*mode, f"data.labels=[{','.join(typed)}]"])
        assert value(argument) == names


@pytest.mark.parametrize(
    "name",
    ["reseñas.csv", "reviews (1).csv", "a&b.csv", "#", "'", "[ ]", "{ }", "$", "=", "a=b,c=d", "%",
     ";", "@", "\\", "🙂.csv", " x ", "true", "1e5", "007", "0", "评论", "text (raw)", "${x}",
     "a${b", "\\${seed}", "C:\\new\\table.csv", "it's", 'say "so"', "a,b", "nul", "choice(a,b)",
     "-1", "1_000", "inf", "~"],
)  # fmt: skip
def test_names_that_hydra_reads_otherwise(name):
    assert value(overrides.taken([f"data.text_column={name}"])[0]) == name
    if "," not in name:
        ((argument,),) = runs_of(f"data.text_column={name}")
        assert value(argument) == name


def test_what_keeps_its_meaning():
    for typed, taken in {
        "data.val=null": None, "data.id_column=null": None, "data.text_column=null": "null",
        "data.train='a b.csv'": "a b.csv", 'data.train="it\'s"': "it's", "data.train=200": 200,
        "checkpoint=[]": [], "slice=[length, 'a,b']": ["length", "a,b"],
        "data.labels=[1,2]": [1, 2], "data.labels=[true,007]": ["true", "007"],
        "probes=[It's fine, (Not) bad: at all?]": ["It's fine", "(Not) bad: at all?"],
        "data.train=[a b.csv, c (1).csv]": ["a b.csv", "c (1).csv"],
    }.items():  # fmt: skip
        assert value(overrides.taken([typed])[0]) == taken
    assert value(overrides.taken(["data=files", "data.train=200"])[1]) == "200"
    assert overrides.taken(["data.train=???"]) == ["data.train=???"]
    assert overrides.taken(["~data.val", "data.val="]) == ["~data.val", "data.val="]
    for same in ("model.hidden=64", "model=gru,mlp", "model.hidden=[64,32]", "model=glob(*mlp)"):
        assert overrides.taken(["-m", same]) == ["-m", same]
    assert overrides.taken(["-cd", "a b=c", "--config-dir=é"]) == ["-cd", "a b=c", "--config-dir=é"]


def test_a_sweep_over_names():
    Path("a,b.csv").touch()
    assert [value(a) for (a,) in runs_of("data.train=a,b.csv")] == ["a,b.csv"]
    assert [value(a) for (a,) in runs_of("data.train=a,b.csv, c d.csv,é.csv")] == [
        "a,b.csv", "c d.csv", "é.csv",
    ]  # fmt: skip
    assert [value(a) for (a,) in runs_of("data.train='x,y',z")] == ["x,y", "z"]
    assert [value(a) for (a,) in runs_of("data.train=choice(é.csv,b c.csv)")] == [
        "é.csv",
        "b c.csv",
    ]
    assert [value(a) for (a,) in runs_of("data.labels=[a,b],[ç,d e]")] == [["a", "b"], ["ç", "d e"]]
    assert [value(a) for (a,) in runs_of("data.train=200,400")] == [200, 400]
    assert [value(a) for (a,) in runs_of("data.id_column=null,id")] == [None, "id"]
    assert len(runs_of("data.train=range(100,400,100)", "data.text_column=评论,text")) == 6


def test_paths_with_commas_and_equals_signs_in_lists():
    for name in ("model.hidden=4,seed=0", "seed=1", "plain", "[a]", "'q'"):
        Path(name).mkdir()
    for typed, taken in {
        "checkpoint=model.hidden=4,seed=0": "model.hidden=4,seed=0",
        "checkpoint=[model.hidden=4,seed=0,seed=1,plain]":
            ["model.hidden=4,seed=0", "seed=1", "plain"],
        "checkpoint=[absent=2, plain]": ["absent=2", "plain"],
        "checkpoint=[a]": "[a]",
        "checkpoint='q'": "'q'",
        "hydra.run.dir=seed=2": "seed=2",
    }.items():  # fmt: skip
        assert value(overrides.taken([typed])[0]) == taken


@settings(max_examples=200, deadline=None)
@given(names=st.lists(NAMES.filter(lambda n: not set(n) & set(",:'\"[]{}") and n == n.strip()),
                      min_size=2, max_size=2, unique=True))  # fmt: skip
def test_groups_of_labels_are_taken_as_typed(names):
    first, second = names
    (argument,) = overrides.taken([f"data.labels={{{first}: [1, x y], {second}: 4.5}}"])
    assert value(argument) == {first: [1, "x y"], second: 4.5}
    ((again,),) = runs_of(argument)
    assert value(again) == value(argument)


def test_groups_of_labels_in_quotes():
    typed = "data.labels={'a, b: c': [007, 'd, e'], \"f\": [-1, 2.5]}"
    assert value(overrides.taken([typed])[0]) == {"a, b: c": ["007", "d, e"], "f": [-1, 2.5]}


def test_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    for key in ("data.train", "embedding.path", "hydra.run.dir", "checkpoint"):
        assert value(overrides.taken([f"{key}=~/x y.csv"])[0]) == "/home/somebody/x y.csv"
    assert value(overrides.taken(["data.train=[~/a,b~]"])[0]) == ["/home/somebody/a", "b~"]
    assert value(overrides.taken(["data.text_column=~/x"])[0]) == "~/x"
    assert value(overrides.taken(["data.train=~nobody-here/x"])[0]) == "~nobody-here/x"


def test_interpolations_that_mean_something(monkeypatch):
    monkeypatch.setenv("FOLDER", "/data")

    def composed(*typed):
        with initialize_config_dir(str(config.CONF), version_base="1.3"):
            return compose("train", overrides.taken(typed, command_line.roots()))

    cfg = composed("data=files", "data.train=${oc.env:FOLDER}/é-${seed}.csv", "data.val=${x}.csv")
    assert (cfg.data.train, cfg.data.val) == ("/data/é-0.csv", "${x}.csv")
    Path("${seed}").touch()
    assert composed("data=files", "data.train=${seed}").data.train == "${seed}"
    with pytest.raises(ConfigError, match="stands for a setting, and there is none"):
        overrides.taken(["hydra.run.dir=a/${x}"])


def test_what_hydra_cannot_read_elsewhere_is_text():
    assert value(overrides.taken(["model.activation=relü"])[0]) == "relü"
    assert value(overrides.taken(["model.hidden=[64,32"])[0]) == "[64,32"
    assert [value(a) for (a,) in runs_of("model.activation=relü,tanh")] == ["relü", "tanh"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["reviews.csv"], "reviews.csv is no setting: those are typed as key=value"),
        (["modèle=gru"], "modèle cannot be the name of a setting"),
        (["data.train=a.csv,b.csv"], r"names 2 files: add -m .* or data.train=\[a.csv,b.csv\]"),
        (["data.train=\udce9.csv"], "not valid UTF-8"),
    ],
)
def test_arguments_that_are_refused(typed, words):
    for name in ("a.csv", "b.csv"):
        Path(name).touch()
    with pytest.raises(ConfigError, match=words):
        overrides.taken(typed)


def test_no_callbacks_and_no_loggers():
    nothing = ("=[]", "={}", "=null", "=none", "=None", "=", "=false")
    for group in overrides.GROUPS:
        for typed in (*(f"{group}{word}" for word in nothing), f"~{group}"):
            assert overrides.taken([typed]) == [f"{group}=none"]
        assert overrides.taken(["-m", f"{group}=default,null"]) == ["-m", f"{group}=default,none"]
        assert overrides.taken([f"{group}.mine=null"]) == [f"{group}.mine=null"]
        assert overrides.taken([f"~{group}.mine"]) == [f"~{group}.mine"]


NO_NAMES = {
    "mode", "monitor", "metrics", "logging_interval", "resume", "split", "limit_train",
    "shuffle_seed", "seed", "truncate", "dim", "workers", "hidden", "activation", "pooling",
    "schedule", "accelerator", "precision", "window", "max_tokens", "max_norm", "class_weight",
    "words", "quoting", "header", "devices", "num_nodes",
    "threads",
}  # fmt: skip
"""Keys with a choice of words, a number or a list of numbers."""


@cache
def keys_with_words():
    """Every key of ours that holds a word, a list or nothing."""
    found = set()

    def walk(node, key):
        if isinstance(node, dict):
            for name, inside in node.items():
                walk(inside, f"{key}.{name}" if key else name)
        elif node is None or isinstance(node, str | list):
            found.add(key)

    groups = ("data", "embedding", "callbacks", "logger", "model", "trainer")
    config.register_resolvers()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        for name in ("train", "evaluate"):
            for choices in choices_together(groups if name == "train" else ("data",)):
                walk(OmegaConf.to_container(compose(name, choices)), "")
    return sorted(key for key in found if not key.endswith("_target_"))


def test_no_key_of_a_name_or_a_path_is_forgotten():
    keys = keys_with_words()
    assert {"data.path", "embedding.path", "checkpoint", "pair_column", "run_dir"} <= set(keys)
    unknown = [
        key for key in keys
        if overrides.kind_of(key) is None and key.rpartition(".")[2] not in NO_NAMES
    ]  # fmt: skip
    assert unknown == []


@settings(max_examples=300, deadline=None)
@given(st.text(ODD | ANY_LETTER, max_size=30))
def test_splitting_loses_nothing(text):
    assert ",".join(split(text)) == text


def test_both_doors_take_odd_names(in_process, tmp_path):
    rows = ["评论,text (raw)", *(f"a {w} film {i},{w}" for i in range(30) for w in ("差", "好"))]
    (tmp_path / "reseñas (1), a&b's.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    data = ["data=files", "data.text_column=评论", "data.label_column=text (raw)"]
    in_process(
        "train", *data, *NO_EVENTS, "data.train=reseñas (1), a&b's.csv",
        "data.labels=[差,好]", "model=mlp", "model.hidden=[4]", "trainer.max_epochs=1",
        "trainer.accelerator=cpu", "hydra.run.dir=a = ü",
    )  # fmt: skip
    record = json.loads((tmp_path / "a = ü" / "metrics.json").read_text(encoding="utf-8"))
    assert record["settings"]["data"]["label_column"] == "text (raw)"
    in_process(
        "evaluate", *data, "checkpoint=a = ü", "data.test=reseñas (1), a&b's.csv",
        "data.labels={差: [差], 好: [好]}", "trainer.accelerator=cpu", "hydra.run.dir=e ü",
    )  # fmt: skip
    assert (tmp_path / "e ü").is_dir()


def test_a_sweep_over_odd_names_in_other_processes(command, tmp_path):
    for name in ("reseñas (1).csv", "it's; #2.csv"):
        rows = ["text,label", *(f"a {w} film {i},{w}" for i in range(30) for w in "01")]
        (tmp_path / name).write_text("\n".join(rows) + "\n")
    command(
        "train", "-m", "data=files", "data.train=reseñas (1).csv,it's; #2.csv", *NO_EVENTS,
        "data.labels=[0,1]", "model=mlp", "model.hidden=[4]", "trainer.max_epochs=1",
        "trainer.accelerator=cpu", "hydra/launcher=parallel", "hydra.launcher.n_jobs=1",
        "hydra.sweep.dir=s",
    )  # fmt: skip
    found = {
        json.loads(path.read_text())["settings"]["data"]["train"]: path.parent.name
        for path in (tmp_path / "s").glob("*/metrics.json")
    }
    assert set(found) == {"reseñas (1).csv", "it's; #2.csv"}
    assert found["reseñas (1).csv"] == "data.train=reseñas (1).csv"


def test_a_mistake_is_reported_without_a_trace(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "sentiment_pl.train", "reviews.csv"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: reviews.csv is no setting")
    assert done.stderr.count("\n") == 1
