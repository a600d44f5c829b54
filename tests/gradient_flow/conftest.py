"""Run folders with chosen figures, and few bootstrap resamples, for the tests of this folder."""

from tests.made_runs import few_resamples, make_run

__all__ = ["few_resamples", "make_run"]
