"""``explain``: text, JSON, a picture or a page; and what is refused before any work."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from convolens.bundle import load_model
from convolens.data import load_data
from convolens.explain import explain_picture
from convolens.reports import GENERATOR


@pytest.fixture
def digit(tmp_path):
    Image.fromarray(load_data("digits").test.images[0, :, :, 0]).save(tmp_path / "digit.png")
    return "digit.png"


def test_it_says_what_the_functions_say(convolens, trained, digit):
    ran = convolens("explain", trained[0], digit)
    assert ran.status == 0
    assert ran.out == f"{digit}: {explain_picture(load_model(trained[0]), digit)}\n"
    predicted = convolens("predict", trained[0], digit).out
    assert ran.out.startswith(predicted.rstrip("\n"))


def test_the_json_has_its_keys(convolens, trained, digit):
    found = convolens("explain", trained[0], digit, "--json").json
    (predicted,) = convolens("predict", trained[0], digit, "--json").json
    for key in ("path", "class", "unknown", "unsure"):
        assert found[key] == predicted[key]
    assert found["probability"] == pytest.approx(predicted["probability"], rel=1e-5)
    assert found["familiarity"] == pytest.approx(predicted["familiarity"], rel=1e-5)
    assert found["unsure"] is None
    assert found["target"] == found["class"]
    assert found["heat_map"].keys() >= {
        "layer", "row", "column", "believable", "deletion", "insertion",
    }  # fmt: skip
    assert found["layers"][0].keys() >= {"name", "kind", "shape", "receptive_field"}
    assert found["trace"]["layer"] in [layer["name"] for layer in found["layers"]]
    assert found["nearest"] == []
    sure = convolens("explain", trained[0], digit, "--json", "--risk", 0.5).json
    assert sure["unsure"] in (True, False)


def test_layer_value_and_class_are_chosen(convolens, trained, digit):
    layer = next(
        each
        for each in convolens("explain", trained[0], digit, "--json").json["layers"]
        if each["kind"] == "pooling"
    )["name"]
    chosen = ("--layer", layer, "--at", "1, 0", "--class", "7")
    found = convolens("explain", trained[0], digit, *chosen, "--json").json
    assert found["target"] == "7"
    assert [found["trace"][key] for key in ("layer", "row", "column")] == [layer, 1, 0]
    one = convolens("explain", trained[0], digit, *chosen[:2], "--at", "1,0,2", "--json").json
    assert one["trace"]["channel"] == 2


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_one_picture_is_written(convolens, trained, digit, ending):
    ran = convolens("explain", trained[0], digit, "--out", f"new/out.{ending}")
    assert ran.status == 0
    assert ran.err.endswith(f"written: new/out.{ending}\n")
    assert ran.out.count("\n") == 2  # the answer in short


def test_a_page_is_written_with_the_command_and_the_nearest(convolens, trained, tmp_path):
    out = ("--nearest", 3, "--out", "page.html", "--json")
    ran = convolens("explain", trained[0], "china", *out)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert GENERATOR in page
    assert f"convolens explain {trained[0]} china --nearest 3 --out page.html<" in page
    assert "as it was given: 427 × 640 pixels" in page
    nearest = ran.json["nearest"]
    cosines = [each["similarity"] for each in nearest]
    assert cosines == sorted(cosines, reverse=True)
    assert all(each["class"] in "0123456789" for each in nearest)
    for each in nearest:
        assert f"{each['class']} {each['similarity']:.3f}<br>" in page
    for method in ("Grad-CAM", "LayerCAM", "Occlusion", "Integrated gradients"):
        assert f"<strong>{method} for " in page
    assert len(page) < 5_000_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--layer", "convolution"), "unknown convolution or pooling layer 'convolution'; "),
        (("--layer", "logits"), "'logits' is a Linear; allowed is a convolution or pooling layer"),
        (("--at", "1"), "--at is '1'; it must be ROW,COLUMN or ROW,COLUMN,CHANNEL"),
        (("--at", "-1,0"), "--at is '-1,0'"),
        (("--at", "99,0"), "is 99; allowed: a whole number from 0 to"),
        (("--at", "0,0,999"), "channel of layer"),
        (("--class", "seven"), "unknown class 'seven'; allowed: 0, 1, 2"),
        (("--nearest", -1), "Invalid value for '--nearest'"),
        (("--risk", 1e-6), "the model would be unsure of every picture"),
        (("--out", "out.gif"), "cannot write 'out.gif', which ends in '.gif'; allowed: .html"),
        (("--out", "out"), "cannot write 'out', which has no ending"),
        (("--out", "digit.png"), "digit.png is the picture to explain"),
        (("--out", "mine.html"), "mine.html is there already and no page of ours"),
        (("--out", "folder.png"), "folder.png is a folder"),
        (("--out", "folder.html"), "folder.html is a folder"),
        (("--out", "mine.html/out.png"), "cannot write mine.html/out.png"),
    ],
)
def test_wrong_options_are_one_line(refused, trained, digit, tmp_path, options, message):
    (tmp_path / "mine.html").write_text("mine")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder.html").mkdir()
    before = (tmp_path / digit).read_bytes()
    assert message in refused("explain", trained[0], digit, *options)
    assert (tmp_path / "mine.html").read_text() == "mine"
    assert (tmp_path / digit).read_bytes() == before


def test_files_that_are_wrong(refused, trained, digit, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert "broken.png" in refused("explain", trained[0], "broken.png")
    assert "nowhere.png" in refused("explain", trained[0], "nowhere.png")
    assert "nothing" in refused("explain", "nothing", digit)
    bundle = trained[0] / "model"
    said = refused("explain", bundle, digit, "--nearest", 2)
    assert "is a bundle without a run, and --nearest looks among the pictures" in said
    newer = shutil.copytree(bundle, tmp_path / "newer")
    described = json.loads((newer / "model.json").read_text())
    (newer / "model.json").write_text(json.dumps(described | {"format_version": 99}))
    assert "A newer Convolens may have written it" in refused("explain", newer, digit)


def test_an_animation_is_said_to_be_one(convolens, trained, tmp_path):
    frames = [Image.fromarray(np.full((8, 8), shade, np.uint8)) for shade in (0, 90)]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    ran = convolens("explain", trained[0], "two.gif")
    assert ran.status == 0
    assert "two.gif: holds 2 frames; the first one is used" in ran.err
