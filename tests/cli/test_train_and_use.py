"""``data``, ``train``, ``evaluate``, ``predict`` and ``tour``: keys, streams and refusals."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from convolens.bundle import load_model
from convolens.data import load_data
from convolens.errors import DataError

TRAIN_KEYS = {
    "run", "data", "recipe", "seed", "epochs", "parameters", "train_seconds", "total_seconds",
    "images_per_second", "val_accuracy", "test_accuracy",
}  # fmt: skip
EVALUATE_KEYS = {
    "n", "accuracy", "accuracy_low", "accuracy_high", "log_loss", "ece", "per_class",
    "confusion_matrix", "trained_on", "brier_score", "top_5_accuracy", "macro", "weighted",
    "most_confused",
}  # fmt: skip


def test_training_prints_json_alone_and_tells_its_progress_elsewhere(trained):
    folder, ran = trained
    assert ran.status == 0
    assert ran.json.keys() >= TRAIN_KEYS
    assert ran.json["run"] == str(folder)
    assert (ran.json["data"], ran.json["recipe"], ran.json["epochs"]) == ("digits", "fast", 2)
    assert "epoch 2: training loss" in ran.err
    assert json.loads((folder / "run.json").read_text())["status"] == "completed"


def test_training_for_people_says_how_good_and_where(convolens, tmp_path):
    ran = convolens("train", "--epochs", 0.1, "--seed", 5)
    assert ran.status == 0
    assert re.search(r"^test +180 +\d+\.\d\d% ", ran.out, re.MULTILINE)
    assert "run: runs/digits-fast-1\n" in ran.out
    assert "  convolens evaluate runs/digits-fast-1\n" in ran.out
    assert "  convolens train --epochs 0.1 --seed 5 --seeds 3\n" in ran.out
    assert json.loads((tmp_path / "runs/digits-fast-1/run.json").read_text())["seed"] == 5


def test_evaluating_a_run_finds_its_own_data(convolens, trained):
    folder, ran = trained
    judged = convolens("evaluate", folder, "--json")
    assert judged.json.keys() == EVALUATE_KEYS
    assert judged.json["accuracy"] == ran.json["test_accuracy"]
    assert np.sum(judged.json["confusion_matrix"]) == judged.json["n"] == 180
    assert 0 < judged.json["accuracy_low"] <= judged.json["accuracy"] <= 1
    assert [entry["name"] for entry in judged.json["per_class"]] == list("0123456789")
    text = convolens("evaluate", folder, "--split", "validation").out
    assert text.startswith(f"accuracy {ran.json['val_accuracy']:.2%} (95 % interval ")


def test_a_bundle_alone_must_be_told_its_data(convolens, refused, trained, tmp_path):
    bundle = shutil.copytree(trained[0] / "model", tmp_path / "bundle")
    assert refused("evaluate", bundle).startswith(f"{bundle} is a bundle without a run: name the")
    judged = convolens("evaluate", bundle, "digits", "--json")
    assert judged.json["accuracy"] == trained[1].json["test_accuracy"]


def test_pictures_of_any_size_and_mode_are_predicted(convolens, trained, tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (31, 17), dtype=np.uint8)).save("odd.png")
    colour = Image.fromarray(rng.integers(0, 256, (45, 101, 3), dtype=np.uint8))
    colour.save("colour.jpg")
    colour.resize((7, 3)).convert("P", palette=Image.Palette.ADAPTIVE).save("palette.gif")
    names = ["odd.png", "colour.jpg", "palette.gif", "china"]
    ran = convolens("predict", trained[0], *names, "--top", 99, "--json")
    assert [entry["path"] for entry in ran.json] == names
    expected = load_model(trained[0]).predict_proba(names)
    for entry, row in zip(ran.json, expected, strict=True):
        assert entry.keys() >= {"path", "class", "probability", "top"}
        likeliest = [each["probability"] for each in entry["top"]]
        assert likeliest == sorted(likeliest, reverse=True)
        assert sum(likeliest) == pytest.approx(1, abs=1e-5)
        assert (entry["class"], entry["probability"]) == (
            entry["top"][0]["class"],
            pytest.approx(row.max()),
        )
        assert {each["class"]: each["probability"] for each in entry["top"]} == pytest.approx(
            dict(zip("0123456789", row.tolist(), strict=True))
        )


def test_a_digit_saved_as_a_picture_is_recognised(convolens, trained):
    test = load_data("digits").test
    for index in range(20):
        Image.fromarray(test.images[index, :, :, 0]).save(f"{index}.png")
    ran = convolens("predict", trained[0], *(f"{index}.png" for index in range(20)))
    said = [line.partition(": ")[2][0] for line in ran.out.splitlines()]
    right = sum(word == str(label) for word, label in zip(said, test.labels, strict=False))
    assert right >= 19


def test_data_counts_what_is_there(convolens):
    ran = convolens("data", "digits", "--json")
    assert ran.json.keys() >= {"n", "splits", "classes", "shape", "problems"}
    assert ran.json["n"] == 1797 == sum(split["n"] for split in ran.json["splits"].values())
    assert ran.json["shape"] == [8, 8, 1]
    text = convolens("data", "digits").out
    assert text.startswith("seen 1,797 = used 1,797 + skipped 0\n")
    assert "digits: 1,797 images of 8 x 8 x 1, uint8" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("data", "Missing argument 'DATA'"),
        ("data digts", "there is no file or folder 'digts'"),
        ("data empty", "empty"),
        ("train digits --recipe fsat", "unknown recipe 'fsat'; did you mean 'fast'?"),
        ("train digits --epochs 0", "epochs must be above 0"),
        ("train digits --epochs nan", "epochs must be above 0"),
        ("train digits --epochs many", "Invalid value for '--epochs'"),
        ("train digits --seed -1", "Invalid value for '--seed'"),
        ("train nothing", "there is no file or folder 'nothing'"),
        ("train digits --run RUN", "is not empty; a run needs a folder of its own"),
        ("train digits --run file.txt", "file.txt is a file; a run needs a folder of its own"),
        ("train digits extra", "unexpected extra argument"),
        ("evaluate", "Missing argument 'MODEL'"),
        ("evaluate nowhere", "nowhere does not exist; a model is a bundle or a run folder"),
        ("evaluate file.txt", "file.txt is neither a model bundle"),
        ("evaluate empty", "empty is neither a model bundle"),
        ("evaluate RUN --split tset", "unknown split of digits 'tset'; did you mean 'test'?"),
        ("evaluate RUN nothing", "there is no file or folder 'nothing'"),
        ("predict RUN", "Missing argument 'IMAGE...'"),
        ("predict RUN nowhere.png", "there is no file 'nowhere.png'"),
        ("predict RUN file.txt", "file.txt: not a picture that can be read"),
        ("predict RUN china --top 0", "Invalid value for '--top'"),
        ("predict empty china", "empty is neither a model bundle"),
        ("tour --data nothing", "there is no file or folder 'nothing'"),
        ("tour --data digits --out file.txt", "file.txt cannot be a folder: file.txt is a file"),
        ("tour --data digits --out file.txt/in", "file.txt/in cannot be a folder: file.txt is"),
        ("trian", "No such command 'trian'. Did you mean 'train'? See: convolens --help"),
        ("--bogus", "No such option: --bogus"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(refused, trained, tmp_path, options, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("words\n")
    given = [str(trained[0]) if word == "RUN" else word for word in options.split()]
    assert message in refused(*given)
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "tour").exists()


def test_a_damaged_model_is_refused(refused, trained, tmp_path):
    bundle = shutil.copytree(trained[0] / "model", tmp_path / "bundle")
    weights = bytearray((bundle / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (bundle / "weights.safetensors").write_bytes(weights)
    assert "its SHA-256 differs" in refused("predict", bundle, "china")
    (bundle / "model.json").write_text("{")
    assert "is not valid JSON" in refused("predict", bundle, "china")


def test_of_an_animation_the_first_frame_is_used_and_that_is_said(convolens, trained, tmp_path):
    frames = [Image.fromarray(np.full((8, 8), shade, np.uint8)) for shade in (0, 90, 250)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "still.png")
    ran = convolens("predict", trained[0], "moving.gif", "still.png", "--json")
    assert ran.err == "moving.gif: holds 3 frames; the first one is used\n"
    assert ran.json[0]["top"] == ran.json[1]["top"]
    assert "holds 3 frames" in convolens("see", "moving.gif", "--filter", "sobel_x").err


def test_the_tour_says_what_it_does_and_where_the_page_is(convolens, monkeypatch):
    def made(out, *, data, say):
        say(f"one step of {data}")
        return out / "index.html"

    monkeypatch.setattr("convolens.tour.make_tour", made)
    ran = convolens("tour", "--data", "digits", "--out", "here")
    assert ran.status == 0
    assert ran.out.startswith("here/index.html is ready")
    assert ran.err.splitlines() == [
        "convolens tour: about two minutes on two cores",
        "· one step of digits",
    ]
    ran = convolens("tour", "--data", "digits", "--out", "here", "--json")
    assert ran.json.keys() == {"page", "seconds"}


def test_without_fashion_mnist_the_tour_takes_the_digits(convolens, monkeypatch):
    def missing(*_):
        message = "fashion-mnist is nowhere"
        raise DataError(message)

    monkeypatch.setattr("convolens.data.locate_files", missing)
    monkeypatch.setattr("convolens.tour.make_tour", lambda out, *, data, say: out / data)  # noqa: ARG005
    ran = convolens("tour", "--json")
    assert ran.json["page"] == "tour/digits"
    assert "fashion-mnist is nowhere\nUsing the bundled digits" in ran.err
