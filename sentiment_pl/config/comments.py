"""The comments of `conf/`, which explain each setting and each choice."""

import re
from pathlib import Path

import yaml

_KEY = re.compile(r"(?P<indent> *)(?P<key>[\w]+):(?P<rest>.*)")
_COMMENT = re.compile(r"(?:'[^']*'|\"[^\"]*\"|[^'\"])*?(?:^|\s)#\s?(?P<text>.*)")


def describe_choice(path: Path) -> str:
    """Return the comment at the top of a config, without the line for Hydra; "" if there is none.

    A comment of several lines ends with its first sentence.
    """
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith("# @package"):
            lines.append(line.removeprefix("#").strip())
    text = " ".join(lines)
    text = text.removeprefix(f"{path.parent.name}={path.stem}: ")
    sentence = re.match(r"(.+?)(?:(?<!et al)[.:](?=\s)(?! \d)|[.:]?$)", text)
    return sentence[1].strip() if sentence else ""


def explanations(group: Path, choice: str) -> dict[str, str]:
    """Return the comment of each key of a choice, those that it inherits included.

    Args:
        group: The folder of the group.
        choice: Such as "gru".

    Returns:
        The comments by dotted key within the group. A comment stands behind the value, and goes on
        in further lines, or it stands in lines above the key.
    """
    path = group / f"{choice}.yaml"
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for entry in (yaml.safe_load(text) or {}).get("defaults", []):
        if isinstance(entry, str) and entry != "_self_":
            base = entry.partition("@")[0]
            folder = group.parent if base.startswith("/") else group
            inherited = folder / base.lstrip("/")
            found |= explanations(inherited.parent, inherited.name)
    return found | _comments(text)


def _comments(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    above: list[str] = []
    last = ""
    begun = False
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            words = line.lstrip().removeprefix("#").strip()
            if last and line.startswith(" ") and found.get(last):
                found[last] += f" {words}"  # the comment behind a value goes on
            elif begun:
                above.append(words)
            continue
        key = _KEY.fullmatch(line)
        if key is None:
            last, above = "", []
            continue
        indent = len(key["indent"])
        while parents and parents[-1][0] >= indent:
            parents.pop()
        parents.append((indent, key["key"]))
        last = ".".join(name for _, name in parents)
        comment = _COMMENT.match(key["rest"])
        found[last] = " ".join([*above, *([comment["text"].strip()] if comment else [])])
        above, begun = [], True
    return {key: comment for key, comment in found.items() if comment}
