"""What happens around a multirun: folders named by what differs, and a summary at its end."""

import logging
import sys
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from sentiment_pl.runs import ERROR, read_record

log = logging.getLogger(__name__)


class SweepCallback(Callback):
    """Names a sweep's folders before it starts and sums it up when it is over."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Leave what all runs share out of the names of their folders."""
        overrides = OverridesParser.create().parse_overrides(list(config.hydra.overrides.task))
        fixed = [str(o.key_or_group) for o in overrides if not o.is_sweep_override()]
        names = ",".join(f'"{key}"' for key in fixed)
        shared = [f"hydra.job.config.override_dirname.exclude_keys=[{names}]"]
        if len(fixed) == len(overrides) and not config.hydra.sweeper.get("params"):
            shared.append("hydra.sweep.subdir=run")  # a sweep of one
        # Each run's configuration is composed anew from these overrides.
        config.hydra.overrides.hydra.extend(shared)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print a line a run; end with exit code 1 if any failed."""
        folder = Path(config.hydra.sweep.dir)
        runs = sorted(path.parent for path in folder.glob("*/.hydra"))
        table = Table("run", "accuracy", "F1", "AUC", title=f"{len(runs)} runs in {folder}")
        failed = []
        for run in runs:
            record = read_record(run)
            if record is None:
                failed.append(run)
                table.add_row(run.name, "failed", "", "")
            elif record["test"] is None:
                table.add_row(run.name, "no test split", "", "")
            else:
                figures = (f"{record['test'][key]:.4f}" for key in ("accuracy", "f1", "auc"))
                table.add_row(run.name, *figures)
        Console().print(table)
        for run in failed:
            error = run / ERROR
            reason = error.read_text(encoding="utf-8") if error.exists() else "it did not end"
            print(f"{run} failed: {reason}", file=sys.stderr)
        if failed:
            sys.exit(1)
