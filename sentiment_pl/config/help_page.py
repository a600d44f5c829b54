"""The page that `--help` of a command with settings prints: choices, keys, and what they mean."""

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra import compose
from omegaconf import OmegaConf

from sentiment_pl.config import comments, composed, known_settings

NOT_EVALUATED = frozenset(
    {"data.class_weight", "data.vocab_size", "data.min_frequency", "data.words",
     "data.shuffle_seed"}
)  # fmt: skip
"""Settings of the data that serve a training alone."""

EVALUATED_TRAINER = frozenset(
    {"trainer.accelerator", "trainer.devices", "trainer.precision", "trainer.threads"}
)
"""Settings of the trainer that an evaluation goes by."""

_ORDER = (
    "data", "model", "embedding", "optimizer", "schedule", "trainer", "callbacks", "logger",
    "experiment", "hparams_search", "debug",
)  # fmt: skip
"""Groups as the page lists them, those that are set most often first."""

_INDENT = 36


def page(config_name: str, arguments: Sequence[str]) -> str:
    """Return the help of a command.

    Args:
        config_name: "train" or "evaluate".
        arguments: Overrides on the command line, whose settings the page shows.
    """
    overrides = [each for each in arguments if "=" in each and not each.startswith("-")]
    with known_settings.opened():
        cfg = compose(config_name, overrides, return_hydra_config=True)
    plain: Any = OmegaConf.to_container(cfg, resolve=False)
    hydra = plain.pop("hydra")
    chosen = {
        group: choice
        for group, choice in hydra["runtime"]["choices"].items()
        if group.partition("/")[0] not in known_settings.INTERNAL
    }
    first = [group for group in _ORDER if group in chosen]
    choices = {group: chosen[group] for group in dict.fromkeys([*first, *chosen])}
    width = min(shutil.get_terminal_size().columns, 120)
    lines = [
        hydra["help"]["header"].rstrip(), "",
        "Choices, typed as group=choice; * marks what is chosen",
        *_choices(config_name, choices, width), "",
        "Settings with these choices, typed as key=value",
        *_settings(config_name, plain, choices, width), "",
        hydra["help"]["footer"].replace("$$", "$").rstrip(),
    ]  # fmt: skip
    return "\n".join(lines)


def _choices(config_name: str, choices: Mapping[str, str | None], width: int) -> Iterator[str]:
    for group, chosen in choices.items():
        yield ""
        for path in sorted((composed.CONF / group).glob("*.yaml")):
            if config_name == "evaluate" and path.stem == "ddp":
                continue  # an evaluation is one process
            mark = "*" if path.stem == chosen else " "
            name = f" {mark} {group}={path.stem}"
            yield from _explained(name, comments.describe_choice(path), width)
    if config_name == "evaluate":
        return
    yield ""
    yield from _explained("   hydra/launcher=parallel", "with -m: several runs at once here", width)
    yield from _explained("   hydra/launcher=slurm", "with -m: runs as jobs of a cluster", width)


def _settings(
    config_name: str, plain: Mapping[str, Any], choices: Mapping[str, str | None], width: int
) -> Iterator[str]:
    top = comments.explanations(composed.CONF, config_name)
    groups = [group for group in choices if group in plain]
    yield ""
    for key, value in plain.items():
        if key not in groups:
            yield from _explained(f"   {key}={_value(value)}", top.get(key, ""), width)
    for group in groups:
        found = comments.explanations(composed.CONF / group, choices[group] or "")
        yield ""
        for key, value in _leaves(plain[group] or {}):
            full = f"{group}.{key}"
            if config_name == "evaluate" and not _evaluated(full):
                continue
            yield from _explained(f"   {full}={_value(value)}", found.get(key, ""), width)


def _evaluated(key: str) -> bool:
    if key.startswith("trainer."):
        return key in EVALUATED_TRAINER
    return key not in NOT_EVALUATED


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if name in ("_target_", "_partial_"):
            continue
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        if any(isinstance(each, str) and " " in each for each in value):
            return "[…]"
        return f"[{','.join(map(_value, value))}]"
    return str(value)


def _explained(name: str, text: str, width: int) -> list[str]:
    """Set an explanation behind a name, or below it where the name is long."""
    wrapped = textwrap.wrap(text, max(width - _INDENT, 30)) if text else []
    if not wrapped or len(name) + 2 > _INDENT:
        return [name, *(" " * _INDENT + line for line in wrapped)]
    first, *others = wrapped
    return [f"{name:<{_INDENT}}{first}", *(" " * _INDENT + line for line in others)]
