"""What finished runs amount to: results, comparisons, claims, figures, pages."""
