"""Many faults at once: each is found, and nothing else. One picture is one input everywhere."""

import pytest
from faults import encoded, judge, put, texture
from PIL import Image
from planted import plant_everything

from convolens.data import bad_share, fit_preprocessing, load_data, refuse_bad
from convolens.errors import DataError


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    root = tmp_path_factory.mktemp("planted") / "animals"
    expected = plant_everything(root)
    return judge(root, expected), expected


def test_every_planted_fault_is_found_and_nothing_else(planted):
    judged, expected = planted
    assert judged.dataset.class_names == ("cat", "dog", "Fox", "fox", "gnu", "owl")
    assert len({kind for kind, _, _ in expected}) >= 20
    used = judged.summary.splits
    assert sum(split.n for split in used.values()) == judged.summary.used


def test_the_gravest_comes_first(planted):
    kinds = list(planted[0].summary.kinds)
    assert kinds[:3] == [
        *("duplicate_across_splits", "near_duplicate_across_splits", "contradictory_labels")
    ]


def test_so_many_bad_files_stop_a_training(planted):
    dataset = planted[0].dataset
    assert bad_share(dataset) > 0.01
    with pytest.raises(DataError, match=r"animals: \d+ of \d+ files are bad") as caught:
        refuse_bad(dataset, 0.01)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module", params=["colour", "grey"])
def photographs(request, tmp_path_factory):
    """JPEG and PNG files, all of them larger than the model's input, of many sizes."""
    root = tmp_path_factory.mktemp(request.param) / "animals"
    for number in range(24):
        picture = texture(60_000 + number, 90 + 17 * number, 300 - 9 * number)
        if request.param == "grey":
            picture = picture.convert("L")
        label = ("cat", "dog")[number % 2]
        put(root, f"{label}/{number}.jpg", encoded(picture, "JPEG", quality=85))
        put(root, f"{label}/{number}.png", encoded(picture.transpose(Image.Transpose.ROTATE_90)))
    return root


@pytest.mark.parametrize("policy", ["pad", "crop", "stretch"])
def test_a_file_is_the_same_input_in_training_and_in_prediction(photographs, policy):
    """Bit by bit, though a JPEG is decoded at a fraction of its size."""
    dataset = load_data(photographs, size=(20, 28), fit=policy)
    assert dataset.shape == (20, 28, 1 if photographs.parent.name.startswith("grey") else 3)
    preprocessing = fit_preprocessing("per_pixel", dataset.train.images, fit=dataset.fit)
    seen = 0
    for split in dataset.splits.values():
        for index, name in enumerate(split.names or ()):
            alone = preprocessing.prepare([photographs / name])
            assert alone.tobytes() == preprocessing(split.images[index : index + 1]).tobytes()
            seen += 1
    assert seen == 48
