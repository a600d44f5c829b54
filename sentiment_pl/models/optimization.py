"""The optimizer of a model and the schedule of its learning rate.

Both are chosen in the configuration (`conf/optimizer`, `conf/schedule`) and passed to a model as
functions: `functools.partial(torch.optim.AdamW, lr=0.003)` of the parameters, and
`functools.partial(torch.optim.lr_scheduler.StepLR, step_size=2)` of the optimizer. This module adds
the model's parameters and the arguments that depend on the training.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn

from sentiment_pl.errors import ConfigError, check_number
from sentiment_pl.metrics import measures
from sentiment_pl.runs import renamed_keys

MakeOptimizer = Callable[[Any], torch.optim.Optimizer]
"""A function of parameter groups that returns an optimizer."""
MakeSchedule = Callable[..., Any]
"""A function of an optimizer that returns a learning rate schedule."""

ADAMW: MakeOptimizer = functools.partial(torch.optim.AdamW, lr=0.003, weight_decay=0.01)
"""The default optimizer, with the settings of conf/optimizer/adamw.yaml."""
ONE_CYCLE: MakeSchedule = functools.partial(
    torch.optim.lr_scheduler.OneCycleLR, pct_start=0.3, cycle_momentum=False
)
"""The default schedule, with the settings of conf/schedule/one_cycle.yaml."""

_WITH_FUSED = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)
_STEPS = ("total_steps", "num_training_steps", "T_max")
"""Arguments of schedules that mean the number of training steps."""


def check(optimizer: Any, schedule: Any) -> None:
    """Check the settings of all optimizers and of the one-cycle schedule.

    Raises:
        ConfigError: A setting is out of its range; the message names the config key.
    """
    if not callable(optimizer):
        raise ConfigError(f"optimizer must be a function of the parameters, got {optimizer!r}")
    if not (schedule is None or callable(schedule)):
        raise ConfigError(
            f"schedule must be a function of the optimizer, or null, got {schedule!r}"
        )
    settings = _settings(optimizer)
    if "lr" in settings:
        check_number("optimizer.lr", settings["lr"], above=0)
    if "weight_decay" in settings:
        check_number("optimizer.weight_decay", settings["weight_decay"], least=0)
    if "pct_start" in _settings(schedule):
        check_number("schedule.pct_start", _settings(schedule)["pct_start"], above=0, below=1)


def check_end(schedule: MakeSchedule | None, trainer: lightning.Trainer) -> None:
    """Check that training has an end if the schedule depends on it.

    Raises:
        ConfigError: The schedule needs the number of steps, and training is unlimited.
    """
    if trainer.max_epochs == -1 and trainer.max_steps == -1 and _step_arguments(schedule):
        raise ConfigError(
            f"schedule ({_name(schedule)}) has to know where training ends: trainer.max_epochs or"
            " trainer.max_steps, or schedule=constant"
        )


def parameter_groups(model: nn.Module) -> list[dict[str, Any]]:
    """Return the trainable parameters in two groups: with weight decay, and without.

    Word vectors and biases are in the second group: decay would pull the vectors of rare words to
    zero between their occurrences, and biases hardly overfit. The first group is named "rest", the
    second "embedding", or "biases" if the embedding is not trained.
    """
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    decayed = [p for name, p in trained if p.ndim >= 2 and not name.startswith("embedding.")]
    spared = [p for name, p in trained if p.ndim < 2 or name.startswith("embedding.")]
    embedding = any(name.startswith("embedding.") for name, _ in trained)
    return [
        {"params": decayed, "name": "rest"},
        {
            "params": spared, "weight_decay": 0.0, "name": "embedding" if embedding else "biases",
        },
    ]  # fmt: skip


def configure(
    model: lightning.LightningModule,
    make_optimizer: MakeOptimizer,
    make_schedule: MakeSchedule | None,
    monitor: str,
) -> OptimizerLRScheduler:
    """Return the optimizer of a model and its schedule in the form of `configure_optimizers`.

    A schedule with an argument `total_steps`, `T_max` or `num_training_steps` that is not set gets
    the number of training steps, and advances after every step. All others advance at the end of an
    epoch, before checkpoints are saved. `ReduceLROnPlateau` monitors `monitor`.

    Args:
        model: The model on its device; it needs a trainer if there is a schedule.
        make_optimizer: A function of parameter groups.
        make_schedule: A function of the optimizer, or None for a constant rate.
        monitor: The name of a logged metric.

    Raises:
        ConfigError: The optimizer or the schedule does not accept its settings, or the schedule
            needs the number of steps and training is unlimited.
    """
    optimizer = _made(
        "optimizer", make_optimizer, parameter_groups(model), **_fused(model, make_optimizer)
    )
    if make_schedule is None:
        return optimizer  # type: ignore[no-any-return]
    trainer = model.trainer
    settings, parameters = _settings(make_schedule), _parameters(make_schedule)
    added: dict[str, Any] = {}
    if "max_lr" in parameters and "max_lr" not in settings:
        added["max_lr"] = optimizer.param_groups[0]["lr"]
    check_end(make_schedule, trainer)
    steps = trainer.estimated_stepping_batches  # also finds the number of batches in an epoch
    by_step = "total_steps" in parameters
    for name in _step_arguments(make_schedule):
        added[name], by_step = max(1, int(steps)), True
    config: dict[str, Any] = {"interval": "step"}
    if not by_step:
        # Advance after the last step of an epoch. With "epoch", Lightning would advance after the
        # checkpoints of the epoch are saved, and a run that resumes from one would miss it.
        config["frequency"] = int(trainer.num_training_batches)
    if _is_plateau(make_schedule):
        config |= {"monitor": monitor, "strict": False}  # an epoch may have no validation
        if "mode" not in settings:
            added["mode"] = measures.mode_of(monitor)
    config["scheduler"] = _made("schedule", make_schedule, optimizer, **added)
    return {"optimizer": optimizer, "lr_scheduler": config}  # type: ignore[return-value]


def _step_arguments(make_schedule: MakeSchedule | None) -> list[str]:
    """Return the arguments that get the number of training steps."""
    if make_schedule is None:
        return []
    settings, parameters = _settings(make_schedule), _parameters(make_schedule)
    return [name for name in _STEPS if name in parameters and name not in settings]


def description(make: Callable[..., Any] | None) -> dict[str, Any]:
    """Return the class and the settings of an optimizer or a schedule as plain values.

    Checkpoints contain them, so that they can be compared when a run is resumed. A value that is
    not plain is replaced by its name.
    """
    if make is None:
        return {}
    return {"_target_": _name(make), **{key: _plain(v) for key, v in _settings(make).items()}}


def of_checkpoint(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the optimizer and the schedule in a checkpoint, by config key.

    Checkpoints of earlier versions contain them among the arguments of the model.
    """
    ours = checkpoint["sentiment_pl"]
    if "optimizer" not in ours:
        ours = renamed_keys.upgraded({"model": checkpoint["hyper_parameters"]})
    return _by_key(ours.get("optimizer"), ours.get("schedule"))


def of_model(model: Any) -> dict[str, Any]:
    """Return the settings of the optimizer and the schedule of a model, by config key."""
    return _by_key(description(model.make_optimizer), description(model.make_schedule))


def _by_key(optimizer: Any, schedule: Any) -> dict[str, Any]:
    """Return settings by config key; the class of an optimizer has the key `optimizer`."""
    found: dict[str, Any] = {"optimizer": None, "schedule": "constant"}
    for group, settings in (("optimizer", optimizer), ("schedule", schedule)):
        for key, value in settings.items() if isinstance(settings, Mapping) else ():
            if key == "_target_":
                found[group] = str(value).rpartition(".")[2]
            elif key != "_partial_":
                found[f"{group}.{key}"] = value
    return found


def _fused(model: lightning.LightningModule, make: MakeOptimizer) -> dict[str, bool]:
    """Return the argument `fused` of an optimizer, if it has one that is not set.

    A fused optimizer reads the parameters once per step instead of about ten times.
    """
    if not _is_one_of(make, _WITH_FUSED) or {"fused", "foreach"} & set(_settings(make)):
        return {}
    # In mixed precision Lightning cannot clip gradients for a fused optimizer, which unscales them
    # itself after the clipping.
    trainer = model._trainer
    mixed = trainer and "mixed" in str(trainer.precision) and trainer.gradient_clip_val
    return {"fused": model.device.type in ("cpu", "cuda") and not mixed}


def _made(group: str, make: Callable[..., Any], first: Any, **added: Any) -> Any:
    try:
        return make(first, **added)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{group} ({_name(make)}) cannot be set up: {error}") from error


def _settings(make: Any) -> dict[str, Any]:
    return dict(make.keywords) if isinstance(make, functools.partial) else {}


def _class(make: Any) -> Any:
    return make.func if isinstance(make, functools.partial) else make


def _name(make: Any) -> str:
    return str(getattr(_class(make), "__qualname__", type(make).__qualname__))


def _is_one_of(make: Any, classes: tuple[type, ...]) -> bool:
    return _class(make) in classes


def _is_plateau(make: Any) -> bool:
    found = _class(make)
    return inspect.isclass(found) and issubclass(found, torch.optim.lr_scheduler.ReduceLROnPlateau)


def _parameters(make: Any) -> set[str]:
    return set(inspect.signature(_class(make)).parameters)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(getattr(value, "__qualname__", type(value).__qualname__))
