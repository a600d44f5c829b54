"""Colours of figures, seen with three kinds of colour blindness and on both backgrounds."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sentiment_pl.drawing.colours import (
    BACKGROUND,
    COLOURS,
    DARK_BACKGROUND,
    DARK_INK,
    GRID,
    INK,
    MUTED,
    NEGATIVE,
    POSITIVE,
    contrast,
    dark,
    linear,
    shades,
)  # fmt: skip

# Machado, Oliveira & Fernandes (2009), table 1, severity 1.0: for linear sRGB.
SIMULATIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip


def cielab(colour, simulation):
    """CIELAB of a colour as somebody sees it, for the white of sRGB."""
    seen = np.clip(simulation @ linear(colour), 0, 1)
    relative = XYZ @ seen / XYZ.sum(1)
    f = np.where(
        relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116
    )  # fmt: skip
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def smallest_distance(colours, kind):
    places = [cielab(colour, SIMULATIONS[kind]) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(places, 2))


def test_cielab_and_contrast_of_known_colours():
    assert cielab("#ff0000", SIMULATIONS["normal"]) == pytest.approx([53.24, 80.09, 67.20], abs=0.1)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("kind", SIMULATIONS)
def test_everybody_can_distinguish_the_colours(kind):
    for palette in (COLOURS, [dark(colour) for colour in COLOURS]):
        assert smallest_distance(palette, kind) > 30  # a just noticeable difference is about 2.3
    assert smallest_distance((NEGATIVE, POSITIVE), kind) > 30
    assert smallest_distance((dark(NEGATIVE), dark(POSITIVE)), kind) > 30


def test_red_and_green_of_one_lightness_fail_that_test():
    assert smallest_distance(("#c05050", "#708a20"), "deuteranopia") < 30


def test_curves_and_letters_stand_out_on_both_backgrounds():
    for colour in (*COLOURS, NEGATIVE, POSITIVE, *shades(COLOURS[1], 30)):
        assert contrast(colour, BACKGROUND) >= 2.99
        assert contrast(dark(colour), DARK_BACKGROUND) >= 3
    for colour in (INK, MUTED):
        assert contrast(colour, BACKGROUND) >= 4.5
        assert contrast(dark(colour), DARK_BACKGROUND) >= 4.5
    assert contrast(GRID, BACKGROUND) < 1.5
    assert contrast(dark(GRID), DARK_BACKGROUND) < 2


def test_ends_of_the_scale_change_places():
    assert dark("white") == DARK_BACKGROUND
    assert dark(INK) == DARK_INK
    greys = [to_rgb(dark(grey))[0] for grey in ("0.05", "0.3", "0.5", "0.7", "0.9", "0.99")]
    assert greys == sorted(greys, reverse=True)


def test_shades_are_of_one_hue_and_all_differ():
    for colour in COLOURS:
        found = shades(colour, 30)
        assert len(set(found)) == 30
        lightness = [cielab(shade, SIMULATIONS["normal"])[0] for shade in found]
        assert lightness == sorted(lightness, reverse=True)
    assert shades(COLOURS[2], 1) == [COLOURS[2]]
    hues = [np.arctan2(*cielab(shade, np.eye(3))[:0:-1]) for shade in shades(COLOURS[2], 5)]
    assert np.ptp(hues) < 0.2
