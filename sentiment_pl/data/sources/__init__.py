"""Sources of reviews: the embedded corpus, IMDB, files, any data set of the hub.

A source is chosen by `data=` and built from `conf/data/NAME.yaml`; the arguments of its constructor
are keys below `data.` there. All sources read through the `datasets` library and return reviews in
the schema that `reviews` describes. No source falls back to other data: if its data is missing,
it raises an error with what to do.
"""

from sentiment_pl.data.sources.hub import Hub
from sentiment_pl.data.sources.imdb import Imdb
from sentiment_pl.data.sources.negation import Negation
from sentiment_pl.data.sources.own_files import Files
from sentiment_pl.data.sources.source import Source, calm_libraries

__all__ = ["Files", "Hub", "Imdb", "Negation", "Source", "calm_libraries"]
