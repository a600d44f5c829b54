"""The settings of reports: `conf/report.yaml`."""

from functools import cache
from typing import Any

import yaml

from sentiment_pl.config.composed import CONF


@cache
def configuration() -> dict[str, Any]:
    """Return the settings: `sections`, a list of class paths, and `looks` (`drawing.looks`)."""
    content: dict[str, Any] = yaml.safe_load((CONF / "report.yaml").read_text(encoding="utf-8"))
    return content
