"""Read texts with trained models: `python -m sentiment_pl.predict CHECKPOINT "text" …`."""

import sys
from collections.abc import Sequence
from functools import partial

from sentiment_pl import exits
from sentiment_pl.explain.arguments import parse


def main(argv: Sequence[str] | None = None) -> None:
    """Print or write what models predict for texts.

    Args:
        argv: The command line; by default that of the process.
    """
    arguments = parse(sys.argv[1:] if argv is None else argv)
    from sentiment_pl import faults  # imports Hydra, which --help does without

    memory = "plit the longest texts: shorter texts need less"
    memory = f"Leave --full out, or s{memory}" if arguments.full else f"S{memory}"
    with exits.interruptible(), exits.ending(partial(faults.explain, memory=memory, folders="")):
        from sentiment_pl.explain import scoring_plan

        scoring_plan.check(arguments)
        from sentiment_pl.explain import modes  # imports torch

        modes.run(arguments)


if __name__ == "__main__":
    main()
