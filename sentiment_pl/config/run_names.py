"""Names for the folders of the runs of a sweep: the settings in which the runs differ."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from omegaconf import DictConfig, ListConfig, OmegaConf

from sentiment_pl.runs import renamed_keys

LONGEST = 255
"""Longest name of a file, in bytes."""
_KEPT = 200
"""Number of bytes of a longer name that are kept."""


def register_resolver() -> None:
    """Register `${run_name:OVERRIDES,FORM,SWEEP}`, the name of a run's folder, with OmegaConf."""
    OmegaConf.register_new_resolver("run_name", _resolved, replace=True)


def _resolved(overrides: ListConfig, form: DictConfig, sweep: str = "") -> str:
    """Name a run; a sweep of an earlier version goes on in the folders that it has."""
    typed: Any = OmegaConf.to_container(overrides, resolve=False)
    name = run_name(typed, list(form.exclude_keys), form.item_sep, form.kv_sep)
    if not sweep or (Path(sweep) / name).exists():
        return name
    # Keys that no run differs in are given under their names of today.
    parsed = OverridesParser.create().parse_overrides(typed)
    named = [o for o in parsed if o.key_or_group not in form.exclude_keys]
    earlier = run_name([_earlier(o) for o in named], (), form.item_sep, form.kv_sep)
    return earlier if (Path(sweep) / earlier).is_dir() else name


def _earlier(override: Override) -> str:
    """Return an override under the key that it had in earlier versions."""
    line = str(override.input_line)
    key = override.key_or_group
    before = renamed_keys.earlier(key)
    return line if before == key else f"{before}={line.partition('=')[2]}"


def run_name(
    overrides: Sequence[str],
    left_out: Sequence[str] = (),
    separator: str = ",",
    equals: str = "=",
) -> str:
    """Return a name for the folder of a run: `model.hidden=64,seed=0`.

    Characters that a name cannot have are replaced, and a name that is too long is cut. It then
    ends in a digest of the settings, so that different settings never share a name, and a sweep
    that is resumed finds its folders again.

    Args:
        overrides: of the run, in Hydra's grammar.
        left_out: keys that all runs share.
        separator: string between two settings.
        equals: string between key and value.
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    shown = [override for override in parsed if override.key_or_group not in left_out]
    plain = separator.join(sorted(_plain(override) for override in shown)).replace("=", equals)
    name = "".join(letter if _is_safe(letter) else "_" for letter in plain).replace("${", "$(")
    name = name.rstrip(". ")
    if len(name.encode()) > LONGEST:
        name = name.encode()[:_KEPT].decode(errors="ignore").rstrip(". ")
    if name == plain and not any(map(_is_ambiguous, shown)):
        return name
    settings = sorted((o.get_key_element(), json.dumps(o.value(), default=str)) for o in shown)
    digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:12]
    name = name.encode()[: LONGEST - len(digest) - 1].decode(errors="ignore")
    return f"{name}-{digest}"


def _plain(override: Override) -> str:
    """Return an override without quotes."""
    if isinstance(override._value, QuotedString):
        return f"{override.get_key_element()}={override._value.text}"
    return str(override.input_line)


def _is_safe(letter: str) -> bool:
    return letter != "/" and unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp")


def _is_ambiguous(override: Override) -> bool:
    """Return whether another value would look the same without the quotes."""
    if not isinstance(override._value, QuotedString):
        return False
    text = override._value.text
    number = re.fullmatch(
        r"[+-]?[0-9._]+(e[+-]?[0-9_]+)?|[+-]?(inf|nan)|true|false|null|\?{3}|", text, re.IGNORECASE
    )
    odd = re.search(r"[,'\"\[\]{}\\]|\$\{", text) or text != text.strip()
    return bool(number or odd)
