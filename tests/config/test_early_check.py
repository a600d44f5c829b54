"""Mistyped commands: what each prints, and that none leaves anything behind."""

import copy
import functools
import itertools
import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from sentiment_pl.config import comments, early_check, help_page, suggestions
from sentiment_pl.config import composed as config
from tests.helpers import choices_together

DOCUMENT = Path(__file__).parents[2] / "docs" / "console.md"


def table():
    """The table of mistyped commands in docs/console.md: command and message of each row."""
    rows = re.findall(
        r"^\| `(.+?)` \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [(command.replace("\\|", "|"), message) for command, message in rows]


MISTYPED = table()


def test_the_table_is_long_enough():
    assert len(MISTYPED) >= 20


@pytest.fixture(scope="module")
def composed_once():
    """`compose`, which composes a configuration that several commands look at only once."""

    @functools.cache
    def composition(name, overrides):
        return compose(name, list(overrides))

    def once(name, overrides=(), **options):
        if options:
            return compose(name, list(overrides), **options)
        return copy.deepcopy(composition(name, tuple(overrides)))

    return once


@pytest.mark.parametrize(("command", "message"), MISTYPED, ids=[c for c, _ in MISTYPED])
def test_a_mistyped_command_names_what_was_meant_and_leaves_nothing(
    in_process, tmp_path, monkeypatch, composed_once, command, message
):
    monkeypatch.setattr(early_check, "compose", composed_once)
    door, *arguments = shlex.split(command)
    printed = in_process(door, *arguments, code=1)
    assert printed == f"error: {message}\n"
    assert list(tmp_path.iterdir()) == []
    for words in ("not in struct", "use +", "unexpected keyword", "search path"):
        assert words not in printed


def test_an_argument_of_the_trainer_needs_no_plus(in_process, tmp_path):
    printed = in_process("train", "trainer.max_time=00:00:00:01", "--cfg", "job", "-p", "trainer")
    assert "max_time: 00:00:00:01" in printed


def test_every_value_of_a_sweep_is_checked(in_process, tmp_path):
    printed = in_process("train", "-m", "model=gru,mlp", "seed=0,1,-1", code=1)
    assert "seed must be an integer from 0 to 4294967295, got -1" in printed
    assert list(tmp_path.iterdir()) == []


def test_synonyms_stand_for_settings_that_exist():
    config.register_resolvers()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        configs = [
            compose("train", ["data=files"], return_hydra_config=True), compose("evaluate", [])
        ]  # fmt: skip
        known = {key for cfg in configs for key in suggestions.keys_of(OmegaConf.to_container(cfg))}
    meant = {key for keys in suggestions.SYNONYMS.values() for key in keys}
    assert meant - known <= {"trainer.max_steps"}  # which Lightning's Trainer takes without conf/
    assert suggestions.nearest_key("warmup", known) == "schedule.pct_start"


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("model.hiden", "model.hidden"), ("epochs", "trainer.max_epochs"),
        ("batch_size", "data.batch_size"), ("model.batch_size", "data.batch_size"),
        ("modle.hidden", "model.hidden"), ("nothing.like.it", None), ("zzz", None),
    ],
)  # fmt: skip
def test_the_nearest_key(key, meant):
    known = ["model", "data", "trainer", "model.hidden", "trainer.max_epochs", "data.batch_size"]
    assert suggestions.nearest_key(key, known) == meant


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_help_explains_every_key_of_every_choice(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    config.register_resolvers()
    groups = ("data", "trainer")
    if name == "train":
        groups += ("embedding", "model", "optimizer", "schedule", "callbacks", "logger")
    for choices in choices_together(groups):
        page = help_page.page(name, choices)
        settings = page.partition("Settings with these choices")[2].splitlines()
        lines = [*settings, ""]
        for line, following in itertools.pairwise(lines):
            if re.match(r"   [\w.]+=", line) and not re.search(r"\s\s\S|\S\s\S", line[3:]):
                assert following.startswith(" " * 30), f"{choices}: {line}"


def test_every_choice_is_described():
    for group in ("data", "embedding", "model", "trainer", "callbacks", "logger", "debug"):
        for path in (config.CONF / group).glob("*.yaml"):
            assert comments.describe_choice(path), path


def test_help_hides_internal_groups_and_offers_what_is_read(in_process):
    page = in_process("train", "--help")
    assert " * model=gru" in page
    assert not re.search(r"shared=|recipe|_target_", page)
    page = in_process("evaluate", "--help")
    assert "split=test" in page
    assert not re.search(r"model=|max_epochs|vocab_size|launcher", page)


def test_a_comment_goes_on_below_its_value(tmp_path):
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "base.yaml").write_text("one: 1  # the first\n")
    (tmp_path / "group" / "choice.yaml").write_text(
        "# A choice. Further words.\ndefaults:\n  - base\n"
        "two: 'a # b'  # the second\n  # goes on\n# above\nthree:\n  four: 4  # inside\n"
    )
    assert comments.describe_choice(tmp_path / "group" / "choice.yaml") == "A choice"
    found = comments.explanations(tmp_path / "group", "choice")
    assert found == {
        "one": "the first", "two": "the second goes on", "three": "above", "three.four": "inside",
    }  # fmt: skip
