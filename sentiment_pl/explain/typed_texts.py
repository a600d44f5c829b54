"""Texts typed at a terminal, one per line; each is answered before the next one is read."""

import signal
import sys
from collections.abc import Iterator

from sentiment_pl import exits

INVITATION = "Type a review and press Enter; Ctrl-D ends."
PROMPT = "> "


def typed() -> Iterator[str]:
    """Prompt for texts and yield each of them; blank lines are skipped.

    Raises:
        SystemExit: After Ctrl-C, with its exit code and without a message.
    """
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    print(INVITATION, file=sys.stderr)
    try:
        while True:
            text = input(PROMPT)
            if text.strip():
                yield text
    except EOFError:
        print()
    except KeyboardInterrupt:
        print()
        sys.exit(exits.of_signal(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, previous)
