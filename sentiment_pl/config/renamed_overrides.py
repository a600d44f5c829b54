"""Settings under the names of earlier versions: on the command line, in grids, in YAML files."""

import re
from collections.abc import Collection, Sequence

from omegaconf import DictConfig, OmegaConf, open_dict

from sentiment_pl.errors import check_choice
from sentiment_pl.runs import renamed_keys

_OVERRIDE = re.compile(r"(\+{0,2}|~)([^=]+)((?:=.*)?)", re.DOTALL)
_NOTES: dict[str, None] = {}


def notes() -> list[str]:
    """Return a line for every earlier name that was met since the last call."""
    lines = list(_NOTES)
    _NOTES.clear()
    return lines


def _note(earlier: str) -> None:
    _NOTES[f"{earlier} is now called {renamed_keys.RENAMED[earlier]}, and is taken as that"] = None


def taken_as_current(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a command line under the keys of this version."""
    rewritten = []
    constant = any(
        _key(argument) in ("schedule", "model.schedule") and "constant" in argument
        for argument in arguments
    )
    for argument in arguments:
        found = _OVERRIDE.fullmatch(argument)
        if found is None or found[2] not in renamed_keys.RENAMED:
            rewritten.append(argument)
            continue
        prefix, earlier, value = found.groups()
        _note(earlier)
        now = renamed_keys.current(earlier)
        if now == "schedule":  # now a group, which is chosen without a prefix
            prefix = ""
        elif now.startswith("schedule.") and constant:  # which had no use for it and ignored it
            prefix = prefix or "++"
        rewritten.append(f"{prefix}{now}{value}")
    return rewritten


def rename_grid(config: DictConfig) -> None:
    """Rename the keys of a grid or a search in `hydra.sweeper.params`, in place.

    Args:
        config: Composed, with `hydra`.
    """
    parameters = config.hydra.sweeper.get("params")
    if not parameters or not set(map(str, parameters)) & set(renamed_keys.RENAMED):
        return
    renamed = {}
    for key, values in OmegaConf.to_container(parameters, resolve=False).items():  # type: ignore[union-attr]
        if key in renamed_keys.RENAMED:
            _note(str(key))
        renamed[renamed_keys.current(str(key))] = values
    OmegaConf.update(config, "hydra.sweeper.params", renamed, merge=False, force_add=True)


def rename(cfg: DictConfig, typed: Collection[str] = ()) -> None:
    """Rename the settings of a composed configuration, in place; YAML files may hold earlier ones.

    Args:
        cfg: The configuration; those of a version that has no `optimizer` are left alone.
        typed: Overrides of the command line. They win over what a file says.

    Raises:
        ConfigError: `model.schedule` is not a schedule that earlier versions had.
    """
    model = cfg.get("model")
    if model is None or "optimizer" not in cfg:
        return
    given = {_key(override) for override in typed}
    for name in ("schedule", "lr", "weight_decay", "warmup"):
        earlier = f"model.{name}"
        now = renamed_keys.current(earlier)
        if name not in model:
            continue
        value = model[name]
        with open_dict(cfg):
            del model[name]
            _note(earlier)
            if now in given:
                continue
            if name == "schedule":
                check_choice(earlier, value, renamed_keys.SCHEDULES)
                cfg.schedule = dict(renamed_keys.SCHEDULES[value])
            elif name != "warmup" or "_target_" in cfg.schedule:
                OmegaConf.update(cfg, now, value)


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")
