"""What a mistyped key or choice was meant to be."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SYNONYMS: Mapping[str, Sequence[str]] = {
    "epochs": ("trainer.max_epochs",),
    "epoch": ("trainer.max_epochs",),
    "num_epochs": ("trainer.max_epochs",),
    "n_epochs": ("trainer.max_epochs",),
    "steps": ("trainer.max_steps",),
    "lr": ("optimizer.lr",),
    "learning_rate": ("optimizer.lr",),
    "wd": ("optimizer.weight_decay",),
    "weight_decay": ("optimizer.weight_decay",),
    "warmup": ("schedule.pct_start",),
    "bs": ("data.batch_size",),
    "batch": ("data.batch_size",),
    "batchsize": ("data.batch_size",),
    "hidden_size": ("model.hidden",),
    "hidden_dim": ("model.hidden",),
    "units": ("model.hidden",),
    "dropout": ("model.dropout",),
    "embedding_dim": ("embedding.dim",),
    "dim": ("embedding.dim",),
    "max_len": ("data.max_tokens",),
    "max_length": ("data.max_tokens",),
    "workers": ("data.num_workers",),
    "threads": ("trainer.threads",),
    "num_threads": ("trainer.threads",),
    "gpus": ("trainer.devices",),
    "gpu": ("trainer.devices",),
    "device": ("trainer.accelerator",),
    "accelerator": ("trainer.accelerator",),
    "patience": ("callbacks.early_stopping.patience",),
    "random_state": ("seed",),
    "random_seed": ("seed",),
    "resume_from": ("ckpt_path",),
    "resume_from_checkpoint": ("ckpt_path",),
    "ckpt": ("ckpt_path", "checkpoint"),
    "checkpoint_path": ("ckpt_path", "checkpoint"),
    "train": ("data.train",),
    "train_file": ("data.train",),
    "test_file": ("data.test",),
    "text": ("data.text_column",),
    "label": ("data.label_column",),
    "output": ("hydra.run.dir",),
    "output_dir": ("hydra.run.dir",),
}
"""Names that other programs give to our settings; of several the first that is there counts."""

_CLOSE = 0.72
"""Similarity from which a key is proposed, as `difflib` measures it."""


def keys_of(config: Any, prefix: str = "") -> list[str]:
    """Return the dotted keys of nested mappings, those of whole groups included."""
    keys = []
    for name, value in config.items():
        key = f"{prefix}{name}"
        keys.append(key)
        if isinstance(value, Mapping):
            keys += keys_of(value, f"{key}.")
    return keys


def nearest_key(key: str, known: Collection[str]) -> str | None:
    """Return the setting that a mistyped key most probably means; None if none is close.

    A synonym comes first, then the same name in another group, then the most similar key: similar
    in the whole, or in the last part within the same group.
    """
    synonyms = [name for name in SYNONYMS.get(key.lower(), ()) if name in known]
    if synonyms:
        return synonyms[0]
    group, _, name = key.rpartition(".")
    elsewhere = [each for each in known if each.rpartition(".")[2] == name and "." in each]
    if len(elsewhere) == 1 or (elsewhere and not group):
        return min(elsewhere, key=lambda each: (each.count("."), *_rank(each)))
    within = {each.rpartition(".")[2]: each for each in known if each.rpartition(".")[0] == group}
    if found := difflib.get_close_matches(name, within, 1, _CLOSE):
        return within[found[0]]
    if group not in known and (found := difflib.get_close_matches(key, known, 1, _CLOSE)):
        return found[0]
    if not group and (parents := difflib.get_close_matches(name, SYNONYMS, 1, 0.85)):
        return nearest_key(parents[0], known)
    return None


def _rank(key: str) -> tuple[int, str]:
    """Order groups by how often people set their keys."""
    groups = ["data", "model", "optimizer", "trainer", "embedding"]
    group = key.partition(".")[0]
    return (groups.index(group) if group in groups else len(groups), key)


def is_slip(key: str, known: Collection[str]) -> bool:
    """Return whether a key differs from one of its group by a letter or two."""
    group, _, name = key.rpartition(".")
    names = [each.rpartition(".")[2] for each in known if each.rpartition(".")[0] == group]
    return bool(difflib.get_close_matches(name, names, 1, 0.9))


def unknown_key(
    key: str, value: str | None, known: Collection[str], choices: Mapping[str, str], conf: Path
) -> str:
    """Return a sentence about a key that is not a setting, with what was probably meant.

    Args:
        key: As typed.
        value: As typed; None where none was given.
        known: The dotted keys of the configuration that the command has.
        choices: The choice of each group, such as "gru" for "model".
        conf: The folder of configs.
    """
    group, _, name = key.partition(".")
    chosen, elsewhere = choices.get(group), _names(conf / group) if name else {}
    others = [choice for choice, names in elsewhere.items() if name in names]
    if others and chosen is not None and chosen not in others:
        return f"{group}={chosen} has no {name}; {key} is a setting of {_listed(group, others)}"
    found = nearest_key(key, known)
    if found is None and chosen is not None:
        names = {name for each in elsewhere.values() for name in each}
        if close := difflib.get_close_matches(name, names, 1, _CLOSE):
            others = [choice for choice, names in elsewhere.items() if close[0] in names]
            return (
                f"there is no setting {key}; did you mean {group}.{close[0]}, which is a setting of"
                f" {_listed(group, others)}, not of {group}={chosen}?"
            )
    if found is None:
        where = f"{group}." if group in known and name else ""
        below = {each.removeprefix(where) for each in known if each.startswith(where)}
        siblings = sorted(each for each in below if "." not in each and not each.startswith("_"))
        of = f"{group} has" if where else "there are"
        return f"there is no setting {key}; {of} {', '.join(siblings)}. --help explains each"
    moved = found.rpartition(".")[0] != key.rpartition(".")[0]
    typed = f"={value}" if moved and value else ""
    return f"there is no setting {key}; did you mean {found}{typed}?"


def unknown_choice(group: str, choice: str, options: Sequence[str]) -> str:
    """Return a sentence about a choice that a group does not have, with those that it has.

    Args:
        group: Such as "model".
        choice: As typed.
        options: The choices of the group.
    """
    typed = f"{group}={choice}"
    if group == "data" and (Path(choice).exists() or Path(choice).suffix):
        return f"there is no {typed}; for files of your own: data=files data.train={choice}"
    shown = [option for option in options if option not in ("default", "none")] or list(options)
    close = difflib.get_close_matches(choice.lower(), options, 1, 0.6)
    meant = f"; did you mean {group}={close[0]}?" if close else "."
    more = (
        f" A data set of the Hugging Face hub: data=hub data.path={choice}"
        if group == "data" and not close else ""
    )  # fmt: skip
    return f"there is no {typed}{meant} {group} can be {', '.join(shown)}.{more}"


def _listed(group: str, choices: Sequence[str]) -> str:
    return " and ".join(f"{group}={choice}" for choice in choices[:3])


@cache
def _names(folder: Path) -> dict[str, set[str]]:
    """Return the keys at the top of each choice of a group."""
    return {
        path.stem: set(map(str, yaml.safe_load(path.read_text(encoding="utf-8")) or {}))
        for path in sorted(folder.glob("*.yaml"))
        if not path.stem.endswith("_reference")
    }
