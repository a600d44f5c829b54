"""The examples of docs/extending.md as files, and its model among the architectures."""

import importlib
import re
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from sentiment_pl.models import SentimentModule, architectures

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"

TEXTCNN = "my_project.models.TextCNN"
"""The model of the page, as it is called in checkpoints."""

ALLOW = ["my_project"]
"""What checkpoints of that model need; those of the package are loaded with it as without."""


@cache
def files() -> dict[str, str]:
    """Return the files of the page: their contents by the path that stands in front of each."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"`(my_[^`\s]+)`:\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def commands(section: str) -> list[str]:
    """Return the commands of a section of the page, in order."""
    text = PAGE.read_text(encoding="utf-8")
    (part,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```bash\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def write(folder: Path, names: Iterable[str]) -> None:
    """Write files of the page into a folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[name], encoding="utf-8")


@cache
def _folder() -> tempfile.TemporaryDirectory:
    folder = tempfile.TemporaryDirectory()
    write(Path(folder.name), [name for name in files() if name.endswith(".py")])
    sys.path.append(folder.name)
    return folder


@cache
def models() -> dict[str, type[SentimentModule]]:
    """Return the architectures of the package and, from a folder outside, that of the page."""
    _folder()
    module = importlib.import_module("my_project.models")
    return {**architectures(), TEXTCNN: module.TextCNN}
