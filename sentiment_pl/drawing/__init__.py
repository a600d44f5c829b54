"""How figures look: the style sheet, colours in light and dark, and the look of an architecture."""
