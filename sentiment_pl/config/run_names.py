"""How the folder of a run in a sweep is called: by the settings that tell it from the others."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from omegaconf import DictConfig, ListConfig, OmegaConf

LONGEST = 255
"""Bytes that a file system takes as a name."""
_KEPT = 200
"""Bytes of a longer name that are kept."""


def register_resolver() -> None:
    """Teach OmegaConf `${run_name:OVERRIDES,FORM}`, the name of a run's folder."""
    OmegaConf.register_new_resolver("run_name", _resolved, replace=True)


def _resolved(overrides: ListConfig, form: DictConfig) -> str:
    typed: Any = OmegaConf.to_container(overrides, resolve=False)
    return run_name(typed, list(form.exclude_keys), form.item_sep, form.kv_sep)


def run_name(
    overrides: Sequence[str],
    left_out: Sequence[str] = (),
    separator: str = ",",
    equals: str = "=",
) -> str:
    """Return a name for the folder of a run: `model.hidden=64,seed=0`.

    What cannot be part of a name is replaced, and a name that is too long is cut. It then ends in a
    digest of the settings, so that different settings never share a name, and the same settings
    have the same name whenever the sweep is taken up again.

    Args:
        overrides: of the run, as Hydra reads them.
        left_out: keys that all runs share.
        separator: between two settings.
        equals: between key and value.
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    told = [override for override in parsed if override.key_or_group not in left_out]
    plain = separator.join(sorted(_plain(override) for override in told)).replace("=", equals)
    name = "".join(letter if _is_safe(letter) else "_" for letter in plain).replace("${", "$(")
    name = name.rstrip(". ")
    if len(name.encode()) > LONGEST:
        name = name.encode()[:_KEPT].decode(errors="ignore").rstrip(". ")
    if name == plain and not any(map(_is_ambiguous, told)):
        return name
    settings = sorted((o.get_key_element(), json.dumps(o.value(), default=str)) for o in told)
    digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:12]
    name = name.encode()[: LONGEST - len(digest) - 1].decode(errors="ignore")
    return f"{name}-{digest}"


def _plain(override: Override) -> str:
    """An override without quotes."""
    if isinstance(override._value, QuotedString):
        return f"{override.get_key_element()}={override._value.text}"
    return str(override.input_line)


def _is_safe(letter: str) -> bool:
    return letter != "/" and unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp")


def _is_ambiguous(override: Override) -> bool:
    """Whether other settings would look the same without the quotes."""
    if not isinstance(override._value, QuotedString):
        return False
    text = override._value.text
    number = re.fullmatch(
        r"[+-]?[0-9._]+(e[+-]?[0-9_]+)?|[+-]?(inf|nan)|true|false|null|\?{3}|", text, re.IGNORECASE
    )
    odd = re.search(r"[,'\"\[\]{}\\]|\$\{", text) or text != text.strip()
    return bool(number or odd)
