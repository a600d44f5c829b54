"""Settings that cannot be used: refused before the work, with the key that is to be mended."""

import json
import re
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from sentiment_pl.config import composed as config
from sentiment_pl.data.datamodule import ReviewDataModule
from sentiment_pl.data.sources import Files, Hub, Imdb, Negation
from sentiment_pl.data.tokenizer import Tokenizer
from sentiment_pl.errors import UserError
from sentiment_pl.models import architectures
from tests.helpers import NO_EVENTS, SMALL, TRAINING_TEXTS, composed

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 40) | st.sampled_from([2**32, 10**30, -(2**70)])
    | st.floats() | st.text(max_size=6),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside),
    max_leaves=4,
)  # fmt: skip
"""What YAML can hold."""

CHECKED = (
    "seed", "ckpt_path", "init_from", "resume", "monitor", "mode", "probes", "trainer.max_epochs",
    "callbacks.early_stopping.patience",
)  # fmt: skip


def refused(call, *arguments, **settings):
    """Return the message for the user, or None if there is no error; other errors are bugs."""
    try:
        call(*arguments, **settings)
    except UserError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def cfg():
    plain = composed()
    del plain.hydra
    return plain


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from(CHECKED), value=ANYTHING)
def test_any_value_of_a_key_is_used_or_refused_by_name(cfg, key, value):
    changed = cfg.copy()
    OmegaConf.update(changed, key, value, merge=False, force_add=True)
    refusal = refused(config.check, changed, multirun=False)
    assert refusal is None or key in refusal


TOKENIZER = Tokenizer.train(TRAINING_TEXTS, size=50).to_json()
NUMBERS = ("train", "val", "test", "seed")
DATA = (
    "val_fraction", "max_tokens", "truncate", "limit_train", "drop_test_duplicates", "vocab_size",
    "min_frequency", "words", "batch_size", "seed", "shuffle_seed", "num_workers", "cache_dir",
)  # fmt: skip
COLUMNS = ("text_column", "label_column", "labels")


@settings(max_examples=200, deadline=None)
@given(data=st.data(), value=ANYTHING)
def test_any_setting_of_the_data_is_used_or_refused_by_name(data, value):
    kinds = {
        lambda **given: ReviewDataModule(Negation(), **given): DATA,
        Negation: NUMBERS,
        lambda **given: Files(**{"train": "a.csv", **given}): ("train", "val", *COLUMNS),
        lambda **given: Hub(**{"path": "a/b", **given}): ("path", "config", "revision", *COLUMNS),
        Imdb: ("path",),
    }
    build = data.draw(st.sampled_from(list(kinds)))
    key = data.draw(st.sampled_from(kinds[build]))
    refusal = refused(build, **{key: value})
    assert refusal is None or f"data.{key}" in refusal


@cache
def keys_of(architecture):
    return sorted(set(composed(f"model={architecture}").model) - {"_target_"})


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), value=ANYTHING)
def test_any_setting_of_a_model_is_used_or_refused_by_name(data, value):
    name = data.draw(st.sampled_from(sorted(architectures())))
    key = data.draw(st.sampled_from(keys_of(name)))
    shared = {"tokenizer": TOKENIZER, "embedding_dim": 8}
    refusal = refused(architectures()[name], **shared, **{key: value})
    assert refusal is None or f"model.{key}" in refusal


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("monitor=val/acuracy", "monitor must be one of val/accuracy, val/f1"),
        ("mode=up", "mode must be one of max, min"),
        ("monitor=val/loss mode=max", "mode=max would keep the worst .* asks for mode=min"),
        ("trainer.max_epochs=-1", r"schedule \(OneCycleLR\) has to know where training ends"),
        ("trainer.limit_val_batches=0", "trainer.limit_val_batches=0 leaves no val/auc to go by"),
        ("probes=null", "probes must be a list of sentences"),
        ("trainer.max_epochs=abc", "trainer.max_epochs must be an integer"),
        ("trainer.max_epochs=-5", "trainer.max_epochs must be an integer, at least -1, got -5"),
        ("trainer.threads=0", "trainer.threads must be an integer, at least 1, got 0"),
        ("trainer.precision=8", "trainer cannot be set up: Precision 8 is invalid"),
        ("trainer.gradient_clip_val=a", "trainer cannot be set up: `gradient_clip_val` should be"),
        ("trainer.limit_train_batches=-1", "trainer cannot be set up: You have passed invalid"),
        ("+trainer.foo=1", "there is no setting trainer.foo .*: there are .*max_epochs"),
        ("+data.foo=1", "data.foo: neither the source Negation nor the data module has such"),
        ("+model.foo=1", "there is no setting model.foo .*: there are .*hidden"),
        ("model._target_=nowhere.GRU", "model._target_: there is no nowhere.GRU"),
        ("trainer.limit_train_batches=0", "trainer.limit_train_batches=0 leaves nothing to train"),
        ("+trainer.check_val_every_n_epoch=7", "check_val_every_n_epoch=7 is more than .*=6"),
        (
            "+trainer.check_val_every_n_epoch=3 +trainer.max_steps=9",
            "trainer.max_steps=9 is the end of epoch 2, before the first validation",
        ),
        (
            "+trainer.val_check_interval=1000",
            "trainer.val_check_interval=1000 is longer than an epoch, which has 8 batches",
        ),
        ("+trainer.val_check_interval=00:00:01:00", "must be a number of batches or a share"),
        (
            "+logger.mlflow._target_=lightning.pytorch.loggers.MLFlowLogger",
            "logger.mlflow needs mlflow: pip install mlflow",
        ),
    ],
)
def test_a_refused_setting_gives_a_message(in_process, override, words):
    output = in_process(
        "train", *SMALL, "model=mlp", *override.split(), "hydra.run.dir=run", code=1
    )
    assert re.search(words, output)
    assert "Traceback" not in output
    preparing = ("preparing ", "reading ", "collecting ", "encoding ")  # in the first such run
    assert len([x for x in output.splitlines() if not x.startswith(preparing)]) <= 4


def test_a_logger_can_be_left_out(in_process, tmp_path):
    in_process(
        "train", *SMALL, *NO_EVENTS, "model=mlp", "trainer.max_epochs=1", "logger.csv=null",
        "hydra.run.dir=run",
    )  # fmt: skip
    assert (tmp_path / "run" / "metrics.json").exists()
    assert not (tmp_path / "run" / "metrics.csv").exists()


def test_a_run_that_is_to_be_longer_than_it_began(in_process, tmp_path):
    run = [*SMALL, *NO_EVENTS, "model=mlp"]
    in_process("train", *run, "trainer.max_epochs=1", "hydra.run.dir=run")
    output = in_process(
        "train", *run, "trainer.max_epochs=2", "ckpt_path=run/checkpoints/last.ckpt", code=1
    )
    assert "the checkpoint's one-cycle schedule is over" in output
    assert "begin anew with that trainer.max_epochs" in output
    assert "Traceback" not in output


def test_splits_that_are_left_out_are_not_measured(in_process, tmp_path):
    in_process(
        "train", *SMALL, *NO_EVENTS, "model=mlp", "trainer.max_epochs=1",
        "trainer.limit_val_batches=0", "trainer.limit_test_batches=0", "monitor=train/loss",
        "mode=min", "hydra.run.dir=run",
    )  # fmt: skip
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert record["status"] == "completed"
    assert record["val"] is record["test"] is None
    assert not (tmp_path / "run" / "predictions.parquet").exists()
