"""Launchers: what a sweep must know of one, and how Hydra comes to accept one of any module.

A launcher is a subclass of `hydra.plugins.launcher.Launcher` and a file
`conf/hydra/launcher/NAME.yaml` with its `_target_` and its settings, here or in a folder that
`--config-dir` names. Two attributes of the class say what its runs do with the console:

- `shows_progress` (default False): whether the console shows how the sweep stands, either because
  the launcher prints it or because the runs take place one after another in this process. If not,
  the sweep prints a line whenever a run begins or ends.
- `shares_console` (default False): whether several runs at once write to this console. If so,
  their log goes to `train.log` alone, and their bars are not shown.
"""

import inspect
from typing import NamedTuple

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from sentiment_pl.config.locating import locate, why_absent
from sentiment_pl.errors import ConfigError


class Console(NamedTuple):
    """What the runs of a launcher do with the console; see the module's docstring."""

    shows_progress: bool = False
    shares_console: bool = False


_OF_OTHERS = {
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher": Console(shows_progress=True),
    "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher": Console(
        shares_console=True
    ),
}
"""Launchers without these attributes for which the defaults are wrong."""

_NAMESPACE = "hydra_plugins"
"""The package outside of which Hydra accepts no plugin."""


def console(launcher: type[Launcher]) -> Console:
    """Return what the runs of a launcher do with the console.

    An attribute counts before what is known of the classes that the launcher derives from.
    """
    names = (f"{base.__module__}.{base.__qualname__}" for base in inspect.getmro(launcher))
    known = next((_OF_OTHERS[name] for name in names if name in _OF_OTHERS), Console())
    return Console(*(getattr(launcher, field, getattr(known, field)) for field in Console._fields))


def accept(config: DictConfig) -> type[Launcher]:
    """Make Hydra accept the launcher of a composed configuration, whatever module it is in.

    Hydra finds plugins in the package `hydra_plugins` alone. A launcher of another module is
    registered as if it were there.

    Args:
        config: composed, with `hydra`; `hydra.launcher._target_` is changed in place.

    Returns:
        The class of the launcher.

    Raises:
        ConfigError: there is no such class, or it is not a launcher.
    """
    target = str(config.hydra.launcher.get("_target_"))
    try:
        found = locate(target)
    except Exception as error:
        reason = why_absent(target, error)
        raise ConfigError(f"hydra.launcher._target_: {reason}") from error
    if not (inspect.isclass(found) and issubclass(found, Launcher)):
        raise ConfigError(
            f"hydra.launcher._target_: {target} is not a launcher, that is, a subclass of"
            " hydra.plugins.launcher.Launcher"
        )
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise ConfigError(f"hydra.launcher._target_: {target} does not define {missing}")
    if not Plugins.is_in_toplevel_plugins_module(target):
        name = f"{_NAMESPACE}.{target}"
        Plugins.instance().class_name_to_class[name] = found
        config.hydra.launcher._target_ = name
    return found
