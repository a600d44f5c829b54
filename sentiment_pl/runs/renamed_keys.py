"""Keys that settings had in earlier versions, and what they are called now.

Command lines, configuration files, records of runs, checkpoints and the folders of sweeps that use
the earlier names go on working: all of them ask here.
"""

from collections.abc import Mapping
from typing import Any

RENAMED = {
    "model.lr": "optimizer.lr",
    "model.weight_decay": "optimizer.weight_decay",
    "model.schedule": "schedule",
    "model.warmup": "schedule.pct_start",
}
"""The earlier key of a setting, and its key now; `schedule` is a config group."""

ARGUMENTS = tuple(key.removeprefix("model.") for key in RENAMED)
"""What checkpoints of earlier versions hold among the arguments of a model."""

SCHEDULES: Mapping[str, Mapping[str, Any]] = {
    "one_cycle": {
        "_target_": "torch.optim.lr_scheduler.OneCycleLR",
        "_partial_": True,
        "pct_start": 0.3,
        "cycle_momentum": False,
    },
    "constant": {},
}
"""What the values of `model.schedule` meant, as the settings of `schedule`."""

_EARLIER = {now: earlier for earlier, now in RENAMED.items()}


def current(key: str) -> str:
    """Return what a key is called now."""
    return RENAMED.get(key, key)


def earlier(key: str) -> str:
    """Return what a key was called before; itself where it was not renamed."""
    return _EARLIER.get(key, key)


def upgraded(settings: Any) -> Any:
    """Return the settings of a run of any version under the keys of this one.

    In earlier versions the optimizer was AdamW, and its settings stood among those of the model.

    Args:
        settings: Settings nested by config group, as a record holds them; what is not a mapping
            with a `model`, or has an `optimizer`, is returned as it is.
    """
    if not isinstance(settings, Mapping) or "optimizer" in settings:
        return settings
    if not isinstance(settings.get("model"), Mapping):
        return settings
    model = dict(settings["model"])
    found = {name: model.pop(name) for name in ARGUMENTS if name in model}
    if not found:
        return settings
    rates = {name: found[name] for name in ("lr", "weight_decay") if name in found}
    schedule = dict(SCHEDULES.get(str(found.get("schedule", "one_cycle")), {}))
    if schedule and "warmup" in found:
        schedule["pct_start"] = found["warmup"]
    return {
        **settings,
        "model": model,
        "optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True, **rates},
        "schedule": schedule,
    }
