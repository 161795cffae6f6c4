import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from convolens.bundle import Model, load_model
from convolens.data import fit_preprocessing
from convolens.errors import ConfigError, ImageError, ModelError
from convolens.evaluation import with_temperature
from convolens.prediction import predict_logits
from convolens.zoo import build_network

SMALL: dict[str, dict[str, Any]] = {
    "compact": {"width": 8},
    "notes": {},
    "lenet5": {},
    "vgg11": {"width": 4},
    "resnet20": {"width": 4},
    "wide_resnet": {"depth": 10, "width": 1},
    "densenet": {"depth": 10, "growth": 4},
    "mobilenet_v2": {"width": 0.1},
    "convnext": {"width": 8, "depths": [1, 1, 2, 1]},
}


def make_model(
    architecture: str = "compact", kind: str = "per_pixel", channels: int = 1, **arguments: Any
) -> Model:
    images = np.random.default_rng(0).integers(0, 256, (20, 12, 10, channels), dtype=np.uint8)
    return Model(
        network=build_network(architecture, (12, 10, channels), 3, seed=4, **arguments).eval(),
        architecture=architecture,
        arguments=arguments,
        preprocessing=fit_preprocessing(kind, images),
        classes=("hat", "Schuh", "靴"),
        recipe={"name": "made by a test"},
        metrics={"val_accuracy": 0.5, "test_accuracy": None},
    )


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (7, 12, 10, 1), dtype=np.uint8)


@pytest.mark.parametrize("architecture", SMALL)
@pytest.mark.parametrize("kind", ["scale", "per_pixel", "per_channel"])
def test_a_saved_model_says_the_same_to_the_bit(
    tmp_path: Path, pictures: np.ndarray, architecture: str, kind: str
) -> None:
    model = make_model(architecture, kind, **SMALL[architecture])
    model.save(tmp_path / "bundle")
    opened = load_model(tmp_path / "bundle")
    assert opened.arguments == SMALL[architecture]
    assert (opened.predict_proba(pictures) == model.predict_proba(pictures)).all()
    assert opened.classes == model.classes
    assert opened.recipe == model.recipe
    assert opened.metrics == model.metrics
    assert sorted(path.name for path in (tmp_path / "bundle").iterdir()) == [
        "model.json",
        "weights.safetensors",
    ]


def test_a_temperature_makes_it_surer_or_less_sure_and_stays_on_disk(
    tmp_path: Path, pictures: np.ndarray
) -> None:
    plain = make_model()
    warm = replace(plain, temperature=2.5)
    own = plain.predict_proba(pictures)
    np.testing.assert_array_equal(warm.predict_proba(pictures, calibrated=False), own)
    found = warm.predict_proba(pictures)
    np.testing.assert_allclose(found, with_temperature(own, 2.5), rtol=1e-5)
    assert (warm.predict(pictures) == plain.predict(pictures)).all()
    warm.save(tmp_path / "model")
    opened = load_model(tmp_path / "model")
    assert opened.temperature == 2.5
    np.testing.assert_array_equal(opened.predict_proba(pictures), found)
    described = json.loads((tmp_path / "model/model.json").read_text())
    del described["temperature"]  # as models of before have it
    (tmp_path / "model/model.json").write_text(json.dumps(described))
    assert load_model(tmp_path / "model").temperature == 1
    for wrong in (0.0, -1.0):
        change(tmp_path / "model", temperature=wrong)
        with pytest.raises(ModelError, match="temperature must be a number above 0; got"):
            load_model(tmp_path / "model")


def test_the_bundle_inside_a_run_is_found(tmp_path: Path) -> None:
    make_model().save(tmp_path / "run" / "model")
    assert load_model(tmp_path / "run").classes[0] == "hat"


def test_a_picture_gives_the_same_alone_and_among_others(pictures: np.ndarray) -> None:
    model = make_model()
    together = model.predict_proba(pictures)
    for i, picture in enumerate(pictures):
        alone = model.predict_proba([picture])
        assert alone[0] == pytest.approx(together[i], abs=1e-6)
    assert together.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (model.predict(pictures) == np.array(model.classes)[together.argmax(1)]).all()


def test_files_arrays_and_pillow_images_agree(tmp_path: Path, pictures: np.ndarray) -> None:
    model = make_model()
    image = Image.fromarray(pictures[0, :, :, 0])
    image.save(tmp_path / "a.png")
    expected = model.predict_proba(pictures[:1])[0]
    for picture in (tmp_path / "a.png", str(tmp_path / "a.png"), image, pictures[0]):
        assert (model.predict_proba([picture])[0] == expected).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("size", [(1, 1), (300, 7), (10, 12)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_mode_and_size_is_predicted(mode: str, size: tuple[int, int], channels: int) -> None:
    model = make_model(channels=channels)
    probabilities = model.predict_proba([Image.new(mode, size)])
    assert probabilities.shape == (1, 3)
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize(
    ("pictures", "error", "message"),
    [
        ("shoe.png", ModelError, "must be a list; got one str: put it in brackets"),
        (Image.new("L", (3, 3)), ModelError, "must be a list; got one Image"),
        (np.empty((0, 12, 10, 1), np.uint8), ModelError, "no picture was given"),
        (["no_such_file.png"], ImageError, "picture 1: .*no_such_file.png"),
        (np.zeros((12, 10, 1), np.uint8), ModelError, r"For one picture: \[picture\]"),
        ([], ModelError, "no picture was given"),
        ([np.full((2, 2), 7.0)], ImageError, "picture 1"),
    ],
)
def test_what_is_no_list_of_pictures_is_said(
    pictures: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_model().predict_proba(pictures)


def change(bundle: Path, **values: object) -> None:
    described = json.loads((bundle / "model.json").read_text())
    (bundle / "model.json").write_text(json.dumps(described | values))


def damage_weights(bundle: Path) -> None:
    data = bytearray((bundle / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (bundle / "weights.safetensors").write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_weights, "SHA-256 differs"),
        (lambda b: (b / "weights.safetensors").unlink(), "is missing"),
        (lambda b: (b / "model.json").unlink(), "neither a model bundle .* nor a run"),
        (lambda b: (b / "model.json").write_text("{"), "not valid JSON"),
        (lambda b: (b / "model.json").write_text("[]"), "holds a list"),
        (lambda b: change(b, format_version=2), "format version 2; .*upgrade"),
        (lambda b: change(b, format_version=None), "format version None"),
        (lambda b: change(b, classes="hat"), "classes"),
        (lambda b: change(b, classes=["hat", "shoe"]), "does not fit the architecture"),
        (lambda b: change(b, input_shape=[12, 10, 3]), "input_shape .* differ"),
        (
            lambda b: change(b, architecture={"name": "compact", "arguments": {"width": 0}}),
            "width is 0",
        ),
        (
            lambda b: change(b, architecture={"name": "compact", "arguments": {"name": "x"}}),
            "has no argument 'name'",
        ),
        (lambda b: change(b, surprise=1), "unknown key 'surprise'"),
        (
            lambda b: change(b, architecture={"name": "compcat", "arguments": {}}),
            "unknown architecture 'compcat'; did you mean 'compact'",
        ),
        (
            lambda b: change(b, architecture={"name": "compact", "arguments": {"width": 8}}),
            "does not fit the architecture",
        ),
        (
            lambda b: change(b, weights={"file": "../other", "sha256": ""}),
            "weights must be in weights.safetensors",
        ),
    ],
)
def test_damage_is_found_and_named(tmp_path: Path, damage: object, message: str) -> None:
    bundle = tmp_path / "bundle"
    make_model().save(bundle)
    damage(bundle)
    with pytest.raises(ModelError, match=message):
        load_model(bundle)


def test_a_file_that_is_no_safetensors_is_refused_even_with_the_right_hash(tmp_path: Path) -> None:
    from convolens.files import sha256

    bundle = tmp_path / "bundle"
    make_model().save(bundle)
    weights = bundle / "weights.safetensors"
    weights.write_bytes(b"\x80\x04pickle")
    change(bundle, weights={"file": weights.name, "sha256": sha256(weights)})
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(bundle)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        load_model(tmp_path / "nothing")


def test_saving_never_replaces_what_is_not_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(ModelError, match=r"not a model bundle .it holds run.json"):
        make_model().save(tmp_path / "run")
    assert (tmp_path / "run" / "run.json").read_text() == "{}"
    with pytest.raises(ModelError, match="is a file"):
        make_model().save(tmp_path / "run" / "run.json")


def test_a_generator_of_pictures_is_predicted(pictures: np.ndarray) -> None:
    model = make_model()
    assert (model.predict(picture for picture in pictures) == model.predict(pictures)).all()


def test_saving_again_replaces_the_whole_bundle(tmp_path: Path) -> None:
    make_model().save(tmp_path / "bundle")
    replace(make_model(kind="scale"), classes=("a", "b", "c")).save(tmp_path / "bundle")
    assert load_model(tmp_path / "bundle").classes == ("a", "b", "c")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_prediction_leaves_a_network_in_training_mode_as_it_was(pictures: np.ndarray) -> None:
    model = make_model("notes")
    model.network.train()
    first, second = model.predict_proba(pictures), model.predict_proba(pictures)
    assert model.network.training
    assert (first == second).all()  # dropout was off


@pytest.mark.parametrize("architecture", SMALL)
def test_the_summary_counts_every_parameter(architecture: str) -> None:
    model = make_model(architecture, **SMALL[architecture])
    assert model.summary().parameters == sum(p.numel() for p in model.network.parameters())
    with pytest.raises(ConfigError):
        build_network("notes", (4, 4, 1), 3)


def test_weights_that_do_not_fit_a_deep_network_are_said_in_a_few_words(tmp_path: Path) -> None:
    make_model("resnet20", width=4).save(tmp_path / "bundle")
    change(tmp_path / "bundle", architecture={"name": "resnet20", "arguments": {"width": 8}})
    with pytest.raises(ModelError, match="does not fit the architecture") as caught:
        load_model(tmp_path / "bundle")
    assert len(str(caught.value)) < 600


def test_weights_on_disk_are_plain_float32(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    make_model().save(tmp_path / "bundle")
    tensors = load_file(tmp_path / "bundle" / "weights.safetensors")
    assert tensors["preprocessing.mean"].dtype == torch.float64
    assert {tensor.dtype for name, tensor in tensors.items() if name.endswith("weight")} == {
        torch.float32
    }


def test_a_mirrored_model_judges_both_images_and_stays_so_on_disk(
    tmp_path: Path, pictures: np.ndarray
) -> None:
    plain = make_model(kind="per_channel")
    mirrored = replace(plain, mirrored=True)
    flipped = np.ascontiguousarray(pictures[:, :, ::-1])
    both = np.log(plain.predict_proba(pictures)) + np.log(plain.predict_proba(flipped))
    expected = np.exp(both / 2)
    expected /= expected.sum(axis=1, keepdims=True)
    found = mirrored.predict_proba(pictures)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_allclose(mirrored.predict_proba(flipped), found, rtol=1e-4)
    mirrored.save(tmp_path / "model")
    opened = load_model(tmp_path / "model")
    assert opened.mirrored
    assert np.array_equal(opened.predict_proba(pictures), found)


def test_the_number_of_threads_changes_no_bit_of_a_prediction(
    pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convolens.bundle.BATCH_SIZE", 3)
    model = make_model()
    batches = [model.preprocessing(pictures[i : i + 3]) for i in range(0, len(pictures), 3)]
    one, two, many = (predict_logits(model.network, batches, threads=n) for n in (1, 2, 7))
    assert np.array_equal(one, two)
    assert np.array_equal(one, many)
