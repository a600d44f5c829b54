"""Where reviews come from: the embedded corpus, IMDB, files, any data set of the hub.

A source is chosen by `data=` and built from `conf/data/NAME.yaml`; its constructor's arguments are
the keys below `data.` there. All of them read through the `datasets` library and hand out the one
schema that `reviews` describes. Nothing falls back to other data by itself: what cannot be had is
an error that says what to do.
"""

from sentiment_pl.data.sources.hub import Hub
from sentiment_pl.data.sources.imdb import Imdb
from sentiment_pl.data.sources.negation import Negation
from sentiment_pl.data.sources.own_files import Files
from sentiment_pl.data.sources.source import Source, calm_libraries

__all__ = ["Files", "Hub", "Imdb", "Negation", "Source", "calm_libraries"]
