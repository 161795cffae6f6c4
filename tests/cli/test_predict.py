"""``predict``: what the model is unsure of, and what it has never seen the like of."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from convolens.bundle import load_model
from convolens.data import load_data

UNLIKE = "; unlike what the model was trained on"


@pytest.fixture
def digits(tmp_path):
    """Files of test pictures, and one of noise at the end."""
    images = list(load_data("digits").test.images[:60, :, :, 0])
    images.append(np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8))
    names = [f"{number}.png" for number in range(len(images))]
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    return names


def test_below_the_threshold_it_says_unsure_and_still_which_class(convolens, trained, digits):
    model = load_model(trained[0])
    risk = 1.0001 * model.least_risk()
    threshold = model.unsure_below(risk).threshold
    plain = convolens("predict", trained[0], *digits, "--json").json
    careful = convolens("predict", trained[0], *digits, "--json", "--risk", risk).json
    for before, entry in zip(plain, careful, strict=True):
        assert before["unsure"] is None
        assert entry["unsure"] == (entry["probability"] < threshold or entry["unknown"])
        assert {**entry, "unsure": None} == before
    said = convolens("predict", trained[0], *digits, "--risk", risk).out.splitlines()
    assert {entry["unsure"] for entry in careful} == {True, False}
    for line, entry in zip(said, careful, strict=True):
        assert line.startswith(f"{entry['path']}: {'unsure (' * entry['unsure']}{entry['class']} ")


def test_what_is_unlike_all_it_was_trained_on_is_marked(convolens, trained, digits):
    model = load_model(trained[0])
    found = convolens("predict", trained[0], *digits, "--json").json
    outputs = model.outputs(digits)
    assert [entry["unknown"] for entry in found] == model.unknown(outputs).tolist()
    familiarity = [entry["familiarity"] for entry in found]
    np.testing.assert_allclose(familiarity, model.familiarity(outputs), rtol=1e-5)
    assert found[-1]["unknown"]
    assert sum(entry["unknown"] for entry in found[:-1]) < 12
    lines = convolens("predict", trained[0], *digits).out.splitlines()
    assert [line.endswith(UNLIKE) for line in lines] == [entry["unknown"] for entry in found]


def test_a_file_that_cannot_be_read_has_all_keys(convolens, trained, digits):
    ran = convolens("predict", trained[0], digits[0], "nowhere.png", "--json", "--risk", 0.5)
    assert ran.status == 2
    good, bad = ran.json
    assert bad.keys() == good.keys() | {"error"}
    assert [bad[key] for key in ("class", "unsure", "unknown", "familiarity")] == [None] * 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--risk", 0), "risk must be between 0 and 1; got 0.0"),
        (("--risk", 1.5), "risk must be between 0 and 1; got 1.5"),
        (("--risk", "nan"), "risk must be between 0 and 1; got nan"),
        (("--risk", "low"), "Invalid value for '--risk'"),
        (("--risk", 1e-6), "at a risk of 1e-06 the model would be unsure of every picture"),
        (("--risk", 0.1, "--uncalibrated"), "calibrated probabilities alone: leave out --unc"),
    ],
)
def test_risks_that_cannot_be_kept(refused, trained, digits, options, message):
    assert message in refused("predict", trained[0], digits[0], *options)


def test_the_least_risk_that_is_named_can_be_kept(convolens, refused, trained, digits):
    said = refused("predict", trained[0], digits[0], "--risk", 1e-6)
    least = float(said.partition("promise no less than ")[2].partition(";")[0])
    assert convolens("predict", trained[0], digits[0], "--risk", least).status == 0


def test_a_model_of_before_predicts_but_keeps_no_risk(
    convolens, refused, trained, digits, tmp_path
):
    old = shutil.copytree(trained[0] / "model", tmp_path / "old")
    described = json.loads((old / "model.json").read_text())
    described["thresholds"]["unknown"]["score"] = "telepathy"  # as a later version may have it
    (old / "model.json").write_text(json.dumps(described))
    assert "unknown score of familiarity 'telepathy'" in refused("predict", old, digits[0])
    model = load_model(trained[0])
    bundle = tmp_path / "older"
    type(model)(
        network=model.network,
        architecture=model.architecture,
        arguments=model.arguments,
        preprocessing=model.preprocessing,
        classes=model.classes,
    ).save(bundle)
    assert "this model has no thresholds" in refused("predict", bundle, digits[0], "--risk", 0.1)
    (entry,) = convolens("predict", bundle, digits[0], "--json").json
    assert (entry["unsure"], entry["unknown"], entry["familiarity"]) == (None, None, None)
