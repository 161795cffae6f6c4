import dataclasses
import json

import numpy as np
import pytest
import torch
from heat_networks import PICTURES, VALUES, Awkward, Quadrant, make_model

from convolens.errors import ConfigError
from convolens.explain import deletion_insertion, grad_cam
from convolens.prediction import to_probabilities

BRIGHT = np.random.default_rng(0).uniform(4, 6, (12, 16, 16, 1))
QUARTER = np.zeros((12, 16, 16))
QUARTER[:, :8, :8] = 1


def test_a_perfect_map_is_better_than_chance_and_its_opposite_is_worse() -> None:
    perfect = deletion_insertion(Quadrant(), BRIGHT, QUARTER, 1)
    assert (perfect.gains > 0).all()
    assert (perfect.deletion_areas < perfect.chance_deletion_areas.min(axis=1)).all()
    assert (perfect.insertion_areas > perfect.chance_insertion_areas.max(axis=1)).all()
    assert perfect.verdict == (
        "the maps mark what counts: better than 60 of 60 maps that were moved to a random place"
    )
    opposite = deletion_insertion(Quadrant(), BRIGHT, 1 - QUARTER, 1)
    assert opposite.verdict.startswith("the maps mark what does not count: better than 0 of 60")


def test_maps_that_say_nothing_cannot_be_told_from_chance() -> None:
    flat = deletion_insertion(Quadrant(), BRIGHT, np.ones((12, 16, 16)), 1)
    assert flat.verdict.startswith("the maps cannot be told from chance")
    few = deletion_insertion(Quadrant(), BRIGHT[:3], QUARTER[:3], 1, orders=2)
    assert few.verdict == (
        "better than 6 of 6 maps that were moved to a random place; for a verdict there must be 10 "
        "pictures or more"
    )


def test_curves_begin_and_end_with_the_whole_picture_and_the_empty_one() -> None:
    model = dataclasses.replace(make_model("compact", mirrored=True), temperature=0.7)
    maps = grad_cam(model, PICTURES, "coat")
    empty = PICTURES[0]
    found = deletion_insertion(model, PICTURES, maps, steps=4, orders=2, fill=empty)
    whole = model.predict_proba(PICTURES)[:, 2]
    nothing = np.full(5, model.predict_proba([empty])[0, 2])
    assert found.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (found.targets == 2).all()
    for falling in (found.deletion, *found.chance_deletion.swapaxes(0, 1)):
        assert falling[:, 0] == pytest.approx(whole, abs=1e-5)
        assert falling[:, -1] == pytest.approx(nothing, abs=1e-5)
    for rising in (found.insertion, *found.chance_insertion.swapaxes(0, 1)):
        assert rising[:, 0] == pytest.approx(nothing, abs=1e-5)
        assert rising[:, -1] == pytest.approx(whole, abs=1e-5)
    assert found.deletion_areas == pytest.approx(
        (found.deletion[:, :-1] + found.deletion[:, 1:]).mean(axis=1) / 2
    )


def test_half_way_is_the_picture_without_its_hotter_half() -> None:
    network, heat = Awkward().eval(), np.random.default_rng(5).normal(size=(5, 16, 16))
    found = deletion_insertion(network, VALUES, heat, 2, steps=2, fill=0.3)
    hot = (heat > np.median(heat, axis=(1, 2), keepdims=True))[..., None]
    for curve, left in ((found.deletion, ~hot), (found.insertion, hot)):
        kept = np.where(left, VALUES, 0.3).astype(np.float32)
        logits = network(torch.from_numpy(kept).permute(0, 3, 1, 2)).numpy()
        assert curve[:, 1] == pytest.approx(to_probabilities(logits)[:, 2], abs=1e-5)


def test_the_same_seed_gives_the_same_and_no_picture_changes_another() -> None:
    first = deletion_insertion(
        Quadrant(), np.concatenate([BRIGHT] * 5), np.tile(QUARTER, (5, 1, 1))
    )
    again = deletion_insertion(Quadrant(), BRIGHT, QUARTER)
    assert first.chance_deletion[:12] == pytest.approx(again.chance_deletion, abs=1e-6)
    other = deletion_insertion(Quadrant(), BRIGHT, QUARTER, seed=1)
    assert np.abs(other.chance_deletion - again.chance_deletion).max() > 1e-3
    described = again.to_dict()
    json.dumps(described, allow_nan=False)
    assert described["areas"]["deletion"] == pytest.approx(again.deletion_areas.mean())


def test_maps_and_numbers_that_cannot_be() -> None:
    heat = np.zeros((5, 16, 16))
    broken = heat.copy()
    broken[2, 3, 4] = np.inf
    for given, message in (
        (heat[:4], r"heat maps have shape \(4, 16, 16\); .* need \(5, 16, 16\)"),
        (heat[:, :8], r"need \(5, 16, 16\)"),
        (broken, "heat maps have values that are not finite"),
        (heat.astype(str), "heat maps have values that are not finite numbers"),
    ):
        with pytest.raises(ConfigError, match=message):
            deletion_insertion(Awkward(), VALUES, given)
    for name, value in (("steps", 1), ("steps", 257), ("orders", 0), ("seed", -1)):
        with pytest.raises(ConfigError, match=f"{name} is {value}"):
            deletion_insertion(Awkward(), VALUES, heat, **{name: value})
    with pytest.raises(ConfigError, match="target is 4"):
        deletion_insertion(Awkward(), VALUES, heat, 4)
