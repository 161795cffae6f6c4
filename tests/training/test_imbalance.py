from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convolens.data import Dataset, Split, StoredImages
from convolens.errors import ConfigError
from convolens.recipes import fast, train
from convolens.training import Augmentation, event_to_dict
from convolens.training.imbalance import (
    accuracy_by_class,
    balanced_weights,
    classification_loss,
)


def part(counts: tuple[int, ...], seed: int) -> Split:
    """Flat pictures whose brightness tells their class, right about four times in five."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    levels = rng.normal(100 + 40 * labels, 25)
    images = rng.normal(levels[:, None, None, None], 5, (len(labels), 8, 8, 1))
    return Split(images.clip(0, 255).round().astype(np.uint8), labels)


def imbalanced() -> Dataset:
    return Dataset(
        "lopsided",
        part((760, 40), 0),
        part((190, 10), 1),
        part((300, 300), 2),
        ("common", "rare"),
        "made by a test",
    )


def rare_recall(path: Path, **changes: object) -> float:
    run = train(imbalanced(), fast(epochs=3, **changes), path=path, progress=False)
    predicted = run.model().predict(imbalanced().test.images[300:])
    return float(np.mean([name == "rare" for name in predicted]))


def test_weights_and_sampling_find_more_of_the_rare_class(tmp_path: Path) -> None:
    plain = rare_recall(tmp_path / "plain")
    assert rare_recall(tmp_path / "weights", class_weights="balanced") > plain + 0.3
    assert rare_recall(tmp_path / "sampling", sampling="balanced") > plain + 0.3


def test_the_best_epoch_of_a_balanced_run_is_judged_by_class(tmp_path: Path) -> None:
    data = imbalanced()
    run = train(data, fast(epochs=6, sampling="balanced"), path=tmp_path / "run", progress=False)
    predicted = run.model().predict(data.validation.images)
    right = predicted == np.array(data.class_names)[data.validation.labels]
    by_class = np.mean([right[data.validation.labels == label].mean() for label in (0, 1)])
    assert by_class > 0.6  # all of the common class and none of the rare one would be 0.5
    assert run.results["val_accuracy"] == pytest.approx(right.mean())


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 2, 3])), min_size=1))
def test_accuracy_by_class_is_scikit_learns_balanced_accuracy(
    pictures: list[tuple[bool, int]],
) -> None:
    from sklearn.metrics import recall_score

    correct, labels = (np.array(column) for column in zip(*pictures, strict=True))
    predicted = np.where(correct, labels, 9)
    expected = recall_score(labels, predicted, labels=np.unique(labels), average="macro")
    found = accuracy_by_class(torch.from_numpy(correct), torch.from_numpy(labels))
    assert found == pytest.approx(expected)


@given(st.lists(st.sampled_from([0, 1, 3, 4]), min_size=1, max_size=60))
def test_every_class_that_occurs_counts_the_same_and_a_picture_once_on_average(
    labels: list[int],
) -> None:
    labels_array = np.array(labels)
    weights = balanced_weights(labels_array)
    of_pictures = weights[torch.from_numpy(labels_array)].double()
    assert of_pictures.mean().item() == pytest.approx(1, abs=1e-6)
    totals = [of_pictures[torch.from_numpy(labels_array == label)].sum() for label in set(labels)]
    assert max(totals).item() == pytest.approx(min(totals).item(), rel=1e-5)
    assert all(weights[label] == 0 for label in range(len(weights)) if label not in labels)


@given(st.integers(0, 2**31), st.floats(0, 0.5))
def test_the_loss_of_batches_adds_up_to_that_of_the_whole(seed: int, smoothing: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(24, 3, generator=generator, dtype=torch.float64)
    targets = torch.randint(0, 3, (24,), generator=generator)
    weights = balanced_weights(targets.numpy()).double()
    whole = classification_loss(logits, targets, weights, label_smoothing=smoothing)
    halves = [
        classification_loss(logits[rows], targets[rows], weights, label_smoothing=smoothing)
        for rows in (slice(0, 12), slice(12, 24))
    ]
    torch.testing.assert_close(sum(halves) / 2, whole)
    plain = F.cross_entropy(logits, targets, label_smoothing=smoothing)
    assert torch.equal(classification_loss(logits, targets, None, label_smoothing=smoothing), plain)
    ones = torch.ones(3, dtype=torch.float64)
    equal = classification_loss(logits, targets, ones, label_smoothing=smoothing)
    torch.testing.assert_close(equal, plain)


def test_without_smoothing_it_is_torchs_weighted_loss_but_for_the_scale() -> None:
    logits, targets = torch.randn(20, 2), torch.arange(20) % 5 // 4
    weights = balanced_weights(targets.numpy())
    ours = classification_loss(logits, targets, weights, label_smoothing=0.0)
    torch.testing.assert_close(ours, F.cross_entropy(logits, targets, weight=weights))


@pytest.mark.parametrize("option", ["class_weights", "sampling"])
def test_it_changes_the_run_and_the_same_seed_gives_the_same_bits(
    tmp_path: Path, option: str
) -> None:
    recipe = fast(epochs=2, batch_size=64, augmentation=Augmentation(shift=1, flip=True))
    lopsided = replace(recipe, **{option: "balanced"})
    histories = []
    for name, made in (("a", lopsided), ("b", lopsided), ("plain", recipe)):
        events: list[dict[str, object]] = []
        run = train(
            imbalanced(),
            made,
            path=tmp_path / name,
            progress=False,
            on_event=lambda event, events=events: events.append(event_to_dict(event)),
        )
        weights = (tmp_path / name / "model" / "weights.safetensors").read_bytes()
        histories.append((weights, [event["step"] for event in events if "step" in event]))
        assert run.record["recipe"][option] == getattr(made, option)
    assert histories[0] == histories[1]
    assert histories[0][0] != histories[2][0]
    assert histories[0][1] == histories[2][1]  # epochs are as long as they were


def test_pictures_that_stay_on_disk_are_sampled_alike(tmp_path: Path) -> None:
    data = imbalanced()
    stored = Split(StoredImages(np.asarray(data.train.images)), data.train.labels)
    recipe = fast(epochs=1, sampling="balanced")
    for name, each in (("memory", data), ("disk", replace(data, train=stored))):
        train(each, recipe, path=tmp_path / name, progress=False)
    weights = [
        (tmp_path / name / "model" / "weights.safetensors").read_bytes()
        for name in ("memory", "disk")
    ]
    assert weights[0] == weights[1]


def test_a_class_that_training_lacks_is_no_obstacle(tmp_path: Path) -> None:
    data = replace(imbalanced(), class_names=("common", "rare", "unseen"))
    for option in ("class_weights", "sampling"):
        recipe = fast(epochs=1, **{option: "balanced"})
        run = train(data, recipe, path=tmp_path / option, progress=False)
        assert run.status == "completed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"class_weights": "inverse"},
            "class_weights must be one of none, balanced; got 'inverse'",
        ),
        ({"sampling": "random"}, "sampling must be one of shuffled, balanced; got 'random'"),
        ({"class_weights": "balanced", "sampling": "balanced"}, "both balanced.*allowed: one"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fast(**changes)
