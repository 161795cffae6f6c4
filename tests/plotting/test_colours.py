"""Colours that carry meaning stay apart for eyes that lack one kind of cone."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from convolens.plotting.cells import DIVERGING
from convolens.plotting.confusion import _MISTAKES, _RIGHT
from convolens.plotting.style import BLUE, NOT_FINITE, VERMILLION
from convolens.plotting.threshold_lines import _LOOKS, _OTHER

# Linear RGB as a protanope and a deuteranope see it: Vienot, Brettel and Mollon (1999), "Digital
# video colourmaps for checking the legibility of displays by dichromats".
DICHROMATS = {
    "protanope": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranope": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


@pytest.fixture(params=DICHROMATS)
def seen(request):
    def see(colour):
        linear = np.array(to_rgb(colour)) ** 2.2
        return np.clip(np.array(DICHROMATS[request.param]) @ linear, 0, 1) ** (1 / 2.2)

    return see


def apart(one, other):
    """Distance in 0..1 RGB; 0.1 is plainly visible side by side."""
    return float(np.linalg.norm(one - other))


def test_right_and_wrong_training_and_validation(seen):
    assert apart(seen(BLUE), seen(VERMILLION)) > 0.4


def test_numbered_lines_and_the_grey_of_the_others(seen):
    """They differ in their dashes and numbers, too."""
    colours = [seen(colour) for colour, _ in _LOOKS] + [seen(_OTHER)]
    for index, one in enumerate(colours):
        for other in colours[index + 1 :]:
            assert apart(one, other) > 0.12


def test_negative_zero_and_positive(seen):
    colours = [seen(mpl.colormaps[DIVERGING](share)) for share in (0.1, 0.3, 0.5, 0.7, 0.9)]
    for index, one in enumerate(colours):
        for other in colours[index + 1 :]:
            assert apart(one, other) > 0.12


def test_mistakes_grow_darker_and_are_not_taken_for_right(seen):
    light = [seen(_MISTAKES(share)).mean() for share in np.linspace(0, 1, 20)]
    assert (np.diff(light) < 0).all()
    assert apart(seen(_RIGHT), seen(_MISTAKES(0.2))) > 0.12


def test_what_is_not_finite_is_no_value_of_a_scale(seen):
    for name in ("gray", DIVERGING):
        shades = [seen(mpl.colormaps[name](share)) for share in np.linspace(0, 1, 65)]
        assert min(apart(seen(NOT_FINITE), shade) for shade in shades) > 0.05
