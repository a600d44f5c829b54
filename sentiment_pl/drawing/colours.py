"""Colours of figures on a light and on a dark background.

Figures are drawn for a light background; `dark` translates a colour for a dark one.
"""

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

BACKGROUND, DARK_BACKGROUND = "#ffffff", "#15181d"
INK, DARK_INK = "#1b1b1b", "#e6e6e6"
"""Letters and axes."""
MUTED = "#6b6b6b"
"""Lines and letters that accompany a figure, such as a line at chance."""
GRID = "#e2e2e2"

COLOURS = ("#074396", "#961e00", "#46a667", "#82315c", "#b69003", "#9789c2", "#0f0e03")
"""Colours of curves, in the order of `looks.nth_look`.

Chosen by a search that maximises the smallest distance between two of them in CIELAB, over normal
vision and the simulations of protanopia, deuteranopia and tritanopia by Machado et al. (2009). The
contrast to the background is at least 3:1, which WCAG 2.1 demands of graphics.
"""
_DARK_COLOURS = ("#2a6cd2", "#c94912", "#33d479", "#a3586d", "#ebc015", "#b4a3d7", "#cffef2")
"""The same hues for a dark background, chosen in the same way."""

NEGATIVE, POSITIVE = "#b2182b", "#2166ac"
"""Of label 0 and label 1: the ends of Matplotlib's colour map RdBu."""

_TABLE = dict(zip(COLOURS, _DARK_COLOURS, strict=True)) | {
    BACKGROUND: DARK_BACKGROUND, INK: DARK_INK, NEGATIVE: "#e0605f", POSITIVE: "#5a9bd8",
}  # fmt: skip

Array = NDArray[np.float64]

# From linear sRGB to the responses of cones, and from those to OKLab (Ottosson, 2020).
_CONES = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929],
     [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_OKLAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468],
     [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def linear(colour: str) -> Array:
    """Return red, green and blue of a colour in linear sRGB, each in [0, 1]."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, background: str) -> float:
    """Return the contrast ratio of two colours as WCAG 2.1 defines it, from 1 to 21."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(float(weights @ linear(one)) for one in (colour, background))
    return (high + 0.05) / (low + 0.05)


def _oklab(colour: str) -> Array:
    return np.asarray(_OKLAB @ np.cbrt(_CONES @ linear(colour)))


def _from_oklab(lab: Array) -> str:
    """Return the colour of the same lightness and hue, as saturated as sRGB can show it."""
    for chroma in np.linspace(1, 0, 21):
        cones = np.linalg.solve(_OKLAB, lab * [1, chroma, chroma]) ** 3
        rgb = np.linalg.solve(_CONES, cones)
        if (rgb >= -1e-4).all() and (rgb <= 1.0001).all():
            break
    rgb = np.clip(rgb, 0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return to_hex(np.clip(encoded, 0, 1).tolist())


def shades(colour: str, count: int) -> list[str]:
    """Return shades of one hue from light to dark, all visible on a light background.

    Args:
        colour: the hue; returned as it is for a `count` of 1.
        count: how many.
    """
    if count == 1:
        return [colour]
    _, a, b = _oklab(colour)
    return [_from_oklab(np.array([light, a, b])) for light in np.linspace(0.66, 0.31, count)]


def dark(colour: str) -> str:
    """Return the colour that stands for another on a dark background.

    Colours of this module have counterparts. The lightness of any other is reversed: what is
    pale on white is as faint on the dark background, and what stands out there stands out here.
    """
    colour = to_hex(colour)
    if colour in _TABLE:
        return _TABLE[colour]
    light, a, b = _oklab(colour)
    ground, ink = float(_oklab(DARK_BACKGROUND)[0]), float(_oklab(DARK_INK)[0])
    return _from_oklab(np.array([np.interp(light, (0, 0.75, 1), (ink, 0.62, ground)), a, b]))
