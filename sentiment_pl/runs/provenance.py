"""What a result was computed with: versions of the packages, and the commit of this one."""

import importlib.metadata
import subprocess
from pathlib import Path

import sentiment_pl


def versions() -> dict[str, str]:
    """Return the versions of the packages that a result depends on."""
    import torch

    names = ("lightning", "torchmetrics", "hydra-core", "datasets", "regex", "numpy")
    return {
        "sentiment_pl": sentiment_pl.__version__,
        "torch": str(torch.__version__),  # names the build as well: +cpu, +cu130
        **{name: importlib.metadata.version(name) for name in names},
    }


def commit() -> str | None:
    """Return the commit that the code runs from, "-dirty" if changed; None outside a checkout."""
    checkout = Path(sentiment_pl.__file__).parents[1]
    if not (
        checkout / ".git"
    ).exists():  # installed, perhaps inside the checkout of another project
        return None
    command = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=40"]
    try:
        answer = subprocess.run(
            [*command, "--dirty", "--exclude=*"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip() or None
