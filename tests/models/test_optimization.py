"""The optimizer and the schedule of a model: its groups of parameters, its steps, its settings."""

from functools import partial

import lightning
import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LambdaLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from sentiment_pl.data.batching import Batch
from sentiment_pl.errors import ConfigError
from sentiment_pl.models import optimization
from tests.helpers import NOT_NUMBERS

BATCHES, EPOCHS = 4, 3
SGD = partial(torch.optim.SGD, lr=0.5)


class Lion(torch.optim.Optimizer):
    """An optimizer of a user's own, which knows no weight decay."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.data.sub_(group["lr"] * p.grad.sign())
        return loss


LION = partial(Lion, lr=0.01)


class Rates(lightning.Callback):
    """Collects the learning rate of every step."""

    def __init__(self):
        self.rates = []

    def on_train_batch_start(self, trainer, *args):
        (optimizer,) = trainer.optimizers
        self.rates.append(optimizer.param_groups[0]["lr"])


@pytest.fixture
def rates(build, batch, tmp_path):
    """A function: optimizer and schedule to the learning rates of 3 epochs of 4 steps."""

    def fit(optimizer, schedule, monitor="val/auc"):
        model = build("mlp", torch.float32, hidden=[2], optimizer=optimizer, schedule=schedule)
        model.monitor = monitor
        tokens, lengths = batch(5, 3, 4)
        labels = torch.tensor([0.0, 1.0, 1.0])
        batches = [Batch(tokens, lengths, labels, torch.arange(3))] * BATCHES
        rates = Rates()
        trainer = lightning.Trainer(
            accelerator="cpu", max_epochs=EPOCHS, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
            callbacks=[rates], num_sanity_val_steps=0,
        )  # fmt: skip
        loader = torch.utils.data.DataLoader(batches, batch_size=None)
        trainer.fit(model, loader, loader)
        return rates.rates

    return fit


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of Lightning, on workers


def test_decay_spares_word_vectors_and_biases(build, name):
    optimizer = partial(torch.optim.AdamW, weight_decay=0.1)
    model = build(name, optimizer=optimizer, schedule=None)
    groups = {
        group["weight_decay"]: {id(p) for p in group["params"]}
        for group in model.configure_optimizers().param_groups
    }
    assert groups.keys() == {0.1, 0.0}
    assert set().union(*groups.values()) == {id(p) for p in model.parameters()}
    for key, p in model.named_parameters():
        decayed = p.ndim >= 2 and key != "embedding.weight"
        assert id(p) in groups[0.1 if decayed else 0.0], key


def test_frozen_word_vectors_are_not_optimized(build):
    model = build("gru", freeze_embedding=True, schedule=None)
    given = [p for group in model.configure_optimizers().param_groups for p in group["params"]]
    assert not any(p is model.embedding.weight for p in given)
    assert len(given) == len(list(model.parameters())) - 1


@pytest.mark.parametrize(
    ("optimizer", "fused"),
    [
        (optimization.ADAMW, True),
        (torch.optim.Adam, True),
        (SGD, True),
        (partial(torch.optim.AdamW, fused=False), False),
        (partial(torch.optim.AdamW, foreach=True), None),
    ],
)
def test_an_optimizer_that_can_is_fused(build, optimizer, fused):
    made = build("mlp", optimizer=optimizer, schedule=None).configure_optimizers()
    assert made.defaults["fused"] is fused


def test_an_optimizer_of_a_users_own_is_given_what_it_knows(rates):
    assert rates(LION, None) == [0.01] * 12


def test_one_cycle_takes_the_whole_training(rates):
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))])
    schedule = OneCycleLR(optimizer, 0.5, total_steps=12, pct_start=0.4, cycle_momentum=False)
    expected = []
    for _ in range(12):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates(SGD, partial(OneCycleLR, pct_start=0.4, cycle_momentum=False)) == expected
    assert max(expected) > 0.99 * 0.5


def test_a_cosine_takes_the_whole_training_by_default(rates):
    found = rates(SGD, CosineAnnealingLR)
    expected = [0.25 * (1 + torch.cos(torch.tensor(torch.pi * n / 12)).item()) for n in range(12)]
    assert found == pytest.approx(expected)
    found = rates(SGD, partial(CosineAnnealingLR, T_max=2))  # epochs, as in PyTorch's own examples
    assert found == pytest.approx([0.5] * 4 + [0.25] * 4 + [0.0] * 4)


def test_other_schedules_go_on_after_each_epoch(rates):
    assert rates(SGD, partial(StepLR, step_size=1, gamma=0.5)) == [
        *[0.5] * 4, *[0.25] * 4, *[0.125] * 4,
    ]  # fmt: skip


@pytest.mark.parametrize(("monitor", "threshold"), [("val/auc", 10.0), ("val/loss", 10.0)])
def test_a_plateau_is_one_of_the_monitored_metric(rates, monitor, threshold):
    # Nothing improves by 10: neither a metric that is to rise nor one that is to fall.
    schedule = partial(
        ReduceLROnPlateau, patience=0, factor=0.1, threshold=threshold, threshold_mode="abs"
    )
    assert rates(SGD, schedule, monitor) == pytest.approx([*[0.5] * 8, *[0.05] * 4])


def test_a_loss_that_falls_is_no_plateau(rates):
    schedule = partial(ReduceLROnPlateau, patience=0, threshold=0.0)
    assert rates(partial(torch.optim.SGD, lr=0.01), schedule, "val/loss") == [0.01] * 12


@pytest.mark.parametrize(
    ("optimizer", "schedule", "words"),
    [
        (partial(torch.optim.AdamW, momentum=1), None, r"optimizer \(AdamW\) cannot .*momentum"),
        (partial(torch.optim.Adam, betas=(2, 0)), None, r"optimizer \(Adam\) .* Invalid beta"),
        (torch.optim.LBFGS, None, r"optimizer \(LBFGS\) cannot be set up"),
        (SGD, partial(StepLR, step=3), r"schedule \(StepLR\) cannot be set up: .*step"),
        (LION, OneCycleLR, r"schedule \(OneCycleLR\) cannot be set up: .*momentum"),
    ],
)
def test_refused_arguments_are_reported_with_their_config_group(rates, optimizer, schedule, words):
    with pytest.raises(ConfigError, match=words):
        rates(optimizer, schedule)


@pytest.mark.parametrize("value", [*NOT_NUMBERS, 0, -1])
def test_a_learning_rate_is_positive(build, value):
    with pytest.raises(ConfigError, match=r"optimizer.lr must be a finite number, above 0, got"):
        build("mlp", optimizer=partial(torch.optim.SGD, lr=value))


@pytest.mark.parametrize("value", [*NOT_NUMBERS, -0.1])
def test_weight_decay_is_not_negative(build, value):
    with pytest.raises(ConfigError, match=r"optimizer.weight_decay must be a .* at least 0, got"):
        build("mlp", optimizer=partial(torch.optim.SGD, weight_decay=value))


@pytest.mark.parametrize("value", [*NOT_NUMBERS, 0, 1])
def test_a_cycle_rises_and_falls(build, value):
    with pytest.raises(ConfigError, match=r"schedule.pct_start must be .*above 0 and below 1, got"):
        build("mlp", schedule=partial(OneCycleLR, pct_start=value))


def test_checkpoints_hold_the_settings_as_plain_values(build):
    model = build(
        "mlp",
        optimizer=partial(torch.optim.Adam, lr=0.1, betas=(0.8, 0.9)),
        schedule=partial(LambdaLR, lr_lambda=test_a_loss_that_falls_is_no_plateau),
    )
    checkpoint = {"hyper_parameters": dict(model.hparams)}
    model.on_save_checkpoint(checkpoint)
    assert checkpoint["sentiment_pl"]["optimizer"] == {
        "_target_": "Adam", "lr": 0.1, "betas": [0.8, 0.9],
    }  # fmt: skip
    assert optimization.of_checkpoint(checkpoint) == optimization.of_model(model) == {
        "optimizer": "Adam", "optimizer.lr": 0.1, "optimizer.betas": [0.8, 0.9],
        "schedule": "LambdaLR",
        "schedule.lr_lambda": "test_a_loss_that_falls_is_no_plateau",
    }  # fmt: skip


def test_checkpoints_of_earlier_versions_hold_them_as_arguments(build):
    before = {"lr": 0.003, "weight_decay": 0.01, "schedule": "one_cycle", "warmup": 0.3}
    checkpoint = {"sentiment_pl": {"model": "mlp"}, "hyper_parameters": before}
    assert optimization.of_checkpoint(checkpoint) == optimization.of_model(build("mlp"))
    before |= {"lr": 0.1, "schedule": "constant"}
    found = optimization.of_checkpoint(checkpoint)
    model = build("mlp", optimizer=partial(optimization.ADAMW, lr=0.1), schedule=None)
    assert found == optimization.of_model(model)
    assert (found["optimizer.lr"], found["schedule"]) == (0.1, "constant")
