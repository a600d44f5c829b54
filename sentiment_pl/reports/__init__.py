"""Reports on finished runs: results, comparisons, figures, pages, and the base of sections."""
