"""Words on the command line that are no settings: options and arguments of other programs."""

from collections.abc import Sequence

from sentiment_pl.config import known_settings, suggestions
from sentiment_pl.errors import ConfigError

FLAGS = frozenset(
    {"--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--resolve", "--package", "-p",
     "--run", "-r", "--multirun", "-m", "--shell-completion", "-sc", "--config-path", "-cp",
     "--config-name", "-cn", "--config-dir", "-cd", "--experimental-rerun", "--info", "-i"}
)  # fmt: skip
"""Options of Hydra."""


def check_words(arguments: Sequence[str], config_name: str) -> None:
    """Refuse what looks like an option or a word of another program.

    Args:
        arguments: Of the command line, without the program.
        config_name: Of the command: "train" or "evaluate".

    Raises:
        ConfigError: The message says what to type.
    """
    for place, argument in enumerate(arguments):
        flag, separator, value = argument.partition("=")
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        if argument.startswith("-") and not _is_flag(flag):
            name = flag.lstrip("-").replace("-", "_")
            if not separator and following and not following.startswith("-"):
                value = "" if "=" in following else following
            raise ConfigError(_instead_of_flag(argument, name, value, config_name))
        if argument == "=" or (argument.endswith("=") and following and "=" not in following):
            before = arguments[place - 1] if argument == "=" and place else argument.rstrip("=")
            raise ConfigError(f"write {before}={following} without blanks around the =")
    words = [
        word for number, word in enumerate(arguments)
        if "=" not in word and not word.startswith(("-", "~"))
        and not (number and arguments[number - 1] in FLAGS - {"-m", "--multirun", "-r", "--run"})
    ]  # fmt: skip
    for word in words:
        if (meant := _meant_by_word(word, config_name)) is not None:
            raise ConfigError(f"{word} is not a setting: {meant}")


def _is_flag(flag: str) -> bool:
    """Return whether an option is one of Hydra's, which takes the beginning of a long one too."""
    return flag in FLAGS or (
        flag.startswith("--") and len(flag) > 2 and any(f.startswith(flag) for f in FLAGS)
    )


def _instead_of_flag(argument: str, name: str, value: str, config_name: str) -> str:
    known = known_settings.known_keys(config_name)
    key = name if name in known else suggestions.nearest_key(name, known)
    if key is None:
        return (
            f"there is no option {argument}: settings are typed as key=value, as in model=gru;"
            " --help lists them"
        )
    return f"there is no option {argument}: write {key}={value or '…'}"


def _meant_by_word(word: str, config_name: str) -> str | None:
    """Return what a word without = was meant to be; None where that is not known."""
    for group, options in known_settings.groups(config_name).items():
        if word in options and word not in ("default", "none"):
            return f"write {group}={word}"
    if word in known_settings.known_keys(config_name):
        return f"give it a value, as in {word}=…"
    return None
