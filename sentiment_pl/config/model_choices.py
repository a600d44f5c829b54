"""Which choices of `model=` are architectures, and which are settings of one."""

from collections.abc import Iterable
from pathlib import Path

from omegaconf import DictConfig, OmegaConf


def register_resolver() -> None:
    """Teach OmegaConf `${architectures:}`, all of them as a sweep over `model=` lists them."""
    OmegaConf.register_new_resolver("architectures", _of_config, replace=True)


def _of_config(*, _root_: DictConfig) -> str:
    sources = _root_.hydra.runtime.config_sources
    return ",".join(names(Path(source.path) for source in sources if source.schema == "file"))


def names(folders: Iterable[Path]) -> list[str]:
    """Return the architectures that folders of configs offer, sorted.

    A file model/NAME.yaml that sets `_target_` itself is one; a file that builds on another one of
    the group (`gru_reference`) is not.

    Args:
        folders: conf/ of this package and that of `--config-dir`.
    """
    files = [path for folder in folders for path in (folder / "model").glob("*.yaml")]
    return sorted({path.stem for path in files if "_target_" in OmegaConf.load(path)})
