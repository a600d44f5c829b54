"""The settings, groups and choices that a command has, from `conf/`."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from sentiment_pl.config import composed, suggestions

INTERNAL = ("shared", "recipe", "hydra")
"""Folders of `conf/` that are no groups to choose from; other groups are made of them."""


@contextmanager
def opened() -> Iterator[GlobalHydra]:
    """Open Hydra on `conf/` without starting a command."""
    with initialize_config_dir(str(composed.CONF), version_base="1.3"):
        yield GlobalHydra.instance()


def keys_in(cfg: DictConfig, groups: Collection[str]) -> list[str]:
    """Return the dotted keys of a configuration, and the groups that are chosen like keys."""
    plain: Any = OmegaConf.to_container(cfg, resolve=False)
    return list(dict.fromkeys([*suggestions.keys_of(plain), *(g for g in groups if "/" not in g)]))


def default_choices(config_name: str) -> Iterator[tuple[str, str]]:
    """Yield the groups of a command, each with the choice that it has by default."""
    loaded: Any = OmegaConf.load(composed.CONF / f"{config_name}.yaml")
    defaults: Any = OmegaConf.to_container(loaded.defaults, resolve=False)
    for entry in defaults:
        if isinstance(entry, Mapping):
            for group, choice in entry.items():
                if isinstance(choice, str):
                    yield str(group), choice


def groups(config_name: str) -> dict[str, list[str]]:
    """Return the groups that a command has and their choices."""
    found = {}
    for group in ("data", "model", "embedding", *sorted(_folders())):
        if config_name == "evaluate" and group not in ("data", "trainer"):
            continue
        found[group] = sorted(path.stem for path in (composed.CONF / group).glob("*.yaml"))
    found["hydra/launcher"] = ["basic", "parallel", "slurm"]
    return found


def _folders() -> list[str]:
    return [p.name for p in composed.CONF.iterdir() if p.is_dir() and p.name not in INTERNAL]


def known_keys(config_name: str) -> list[str]:
    """Return the dotted keys of the configuration with nothing set, and the groups."""
    with opened():
        return keys_in(compose(config_name, []), groups(config_name))
