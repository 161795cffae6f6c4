"""The sample pictures, and one example of every figure, for the tests of this folder."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image
from torch import nn

from convolens import plotting
from convolens.evaluation import (
    Evaluation,
    evaluate_probabilities,
    reliability,
    risk_coverage,
)
from convolens.explain import (
    activation_statistics,
    effective_receptive_field,
    explain_picture,
    receptive_field,
    trace_value,
    view_image,
)
from convolens.ops import (
    Pooling,
    SweepFilter,
    kernels,
    random_filters,
    trace_conv2d,
    trace_pool2d,
)
from convolens.plotting import Figure

NAMES = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip
LONG_NAMES = [f"a very long class name that ends in number {n}" for n in range(10)]
# Chinese, Cyrillic, Arabic, a formula that is none, half a character, control characters, nothing.
ODD_NAMES = ["鞋", "Ботинок", "حذاء", "$x^{2", "\ud83d", "a\nb\t\0", "", "हिन्दी", "👟", "x" * 5000]


@pytest.fixture(scope="session")
def china() -> np.ndarray:
    picture = load_sample_image("china.jpg")
    picture.flags.writeable = False
    return picture


@pytest.fixture(scope="session")
def examples(china: np.ndarray) -> dict[str, Callable[[], Figure]]:
    """Name to a function that draws: ordinary, crowded and hostile cases of every public figure."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (12, 28, 28), dtype=np.uint8)
    grey = china.mean(axis=2) / 255
    one = grey[:, :, np.newaxis]
    holes = grey.copy()
    holes[50:80, 50:100] = np.nan
    probabilities = rng.dirichlet(np.ones(10), 12)
    labels = rng.integers(0, 10, 12)
    confusion = rng.integers(0, 30, (10, 10)) + np.diag(rng.integers(800, 6000, 10))
    crowd = rng.integers(0, 9, (100, 100)) * (rng.random((100, 100)) < 0.05) + 90 * np.eye(
        100, dtype=int
    )
    epochs = [
        {
            "epoch": n,
            "train_loss": 1 / n,
            "val_loss": 1 / n + 0.02 * n,
            "train_accuracy": 1 - 0.3 / n,
            "val_accuracy": 0.9 - 0.3 / n,
        }
        for n in range(1, 13)
    ]
    sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    weights = rng.normal(size=(3, 3, 3, 2)) / 7
    p = plotting
    return {
        "image colour": lambda: p.plot_image(china),
        "image grey": lambda: p.plot_image(small[0], title="A shoe"),
        "image holes": lambda: p.plot_image(holes * 4 - 1, title=LONG_NAMES[0] * 9),
        "image flat": lambda: p.plot_image(np.linspace(-1e-5, 3e-5, 200).reshape(2, 100)),
        "image bare": lambda: p.plot_image(china, colorbar=False),
        "images": lambda: p.plot_images(small, labels, NAMES),
        "images long": lambda: p.plot_images(small, labels, LONG_NAMES),
        "images odd": lambda: p.plot_images(small, labels, ODD_NAMES),
        "images mixed": lambda: p.plot_images([china, small[0], china[:, :50]], columns=3),
        "maps notes": lambda: p.plot_feature_maps(
            np.stack([grey, 1 - grey], axis=-1)[None], ["vertical", "horizontal"], ["china"]
        ),
        "maps many": lambda: p.plot_feature_maps(rng.normal(size=(3, 20, 30, 9))),
        "filters line": lambda: p.plot_filters(np.repeat(np.eye(7)[:, :, None, None], 3, axis=2)),
        "filters one": lambda: p.plot_filters(sobel, ["Sobel"]),
        "filters tiny": lambda: p.plot_filters(sobel * 1e-9),
        "filters colour": lambda: p.plot_filters(np.tile(weights, (1, 1, 1, 3)), LONG_NAMES[:6]),
        "filters deep": lambda: p.plot_filters(rng.normal(size=(5, 5, 64, 2))),
        "images wide": lambda: p.plot_images(small, labels, columns=12),
        "crop": lambda: p.plot_crop(china, (150, 220), (130, 250), title="The roof"),
        "crop sliver": lambda: p.plot_crop(holes, (0, 400), (60, 70)),
        "pooling": lambda: p.plot_pooling(china[:70, :120], china[:70:2, :120:2]),
        "pooling depth": lambda: p.plot_pooling(china, china.max(axis=2), (LONG_NAMES[0], "Out")),
        "pooling far": lambda: p.plot_pooling(china, china[::100, ::100]),
        "grid": lambda: p.plot_grid(
            [grey[::s, ::s] for s in (1, 2, 1, 2)],
            None,
            row_labels=LONG_NAMES[:2],
            column_labels=["stride 1", "stride 2"],
            title="china",
        ),
        "grid mixed": lambda: p.plot_grid([china, grey, small[0], grey[:, :9]], LONG_NAMES[:4]),
        "trace": lambda: p.plot_trace(trace_conv2d(one, sobel, 9, 9, bias=[0.1])),
        "trace colour": lambda: p.plot_trace(
            trace_conv2d(china, weights, 0, 639, 1, padding="same")
        ),
        "trace line": lambda: p.plot_trace(trace_conv2d(one, np.eye(7), 0, 5, padding="same")),
        "trace large": lambda: p.plot_trace(
            trace_conv2d(one, rng.normal(size=(25, 25)), 2, 9, padding="same")
        ),
        "trace point": lambda: p.plot_trace(
            trace_conv2d(rng.normal(size=(5, 5, 64)), rng.normal(size=(1, 1, 64, 1)), 2, 2)
        ),
        "trace max": lambda: p.plot_trace(trace_pool2d(china, 213, 319, 2, padding="same")),
        "trace mean": lambda: p.plot_trace(trace_pool2d(one, 3, 3, mode="avg", pool_size=3)),
        "trace wide": lambda: p.plot_trace(trace_pool2d(one, 3, 3, pool_size=20)),
        **_views(china),
        **_insides(china),
        **_explained(china),
        "predictions": lambda: p.plot_predictions(small, probabilities, labels, NAMES),
        "predictions blind": lambda: p.plot_predictions(small[:2], probabilities[:2], None, NAMES),
        "neighbours": lambda: p.plot_neighbours(
            small[:3],
            [small[k : k + 5] for k in range(3)],
            rng.uniform(-1, 1, (3, 5)),
            labels=rng.integers(0, 10, (3, 5)),
            class_names=LONG_NAMES,
            captions=[f"{LONG_NAMES[0]}, called {NAMES[3]}"] * 3,
        ),
        "neighbours mixed": lambda: p.plot_neighbours([china], [[small[0]]], [[1.0]]),
        "curves": lambda: p.plot_learning_curves(epochs),
        "curves one": lambda: p.plot_learning_curves(epochs[:1]),
        "curves alike": lambda: p.plot_learning_curves(
            [{"epoch": n, "train_loss": 1.0, "val_loss": 1.0} for n in range(3)]
        ),
        **_judged(),
        "confusion": lambda: p.plot_confusion_matrix(confusion, NAMES),
        "confusion long": lambda: p.plot_confusion_matrix(confusion, LONG_NAMES),
        "confusion odd": lambda: p.plot_confusion_matrix(np.eye(10, dtype=int), ODD_NAMES),
        "confusion two": lambda: p.plot_confusion_matrix([[8, 2], [1, 9]], ["bag", "shoe"]),
        "confusion crowd": lambda: p.plot_confusion_matrix(crowd, LONG_NAMES * 10),
    }


def _views(china: np.ndarray) -> dict[str, Callable[[], Figure]]:
    """What ``convolens see`` draws: one filter and many, settings that fit a line and do not."""
    named = [
        SweepFilter(name=name, weights=kernels.named(name))
        for name in ("sobel_x", "laplacian_of_gaussian", "gabor_45", "box:9")
    ]
    long = [SweepFilter(name=name, weights=kernels.sobel_x()) for name in LONG_NAMES[:3]]
    box = {"rows": (150, 220), "columns": (130, 250)}
    both = {"strides": (1, 2), "paddings": ("same", "valid")}
    many = {"strides": (1, 2), "paddings": ("same", "valid", 5), "dilations": (1, 3)}
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (8, 8, 1), dtype=np.uint8)
    cases = {
        "one filter": view_image(china, filters=named[:1]),
        "cropped": view_image(china, name=LONG_NAMES[0], filters=named, **box),
        "settings": view_image(china, filters=named, **both),
        "wrapped": view_image(china, filters=named[:2], **many),
        "pooled": view_image(china, filters=long, pooling=Pooling("max", 2), **box),
        "pooled settings": view_image(china, filters=named[:3], pooling=Pooling("avg", 99), **both),
        "pooled in depth": view_image(china, filters=named, pooling=Pooling("depth", 2)),
        "random": view_image(china, filters=(*named[:2], *random_filters(9, 3))),
        "tiny": view_image(grey, filters=named),
        "tall": view_image(china[:, :9], filters=long, paddings=("same", 3)),
        "flat": view_image(china[:5], filters=long),
    }
    traced = view_image(china, filters=named[:1])
    return {
        **{
            f"view {name}": lambda view=view: plotting.plot_view(view)
            for name, view in cases.items()
        },
        "view traced": lambda: plotting.plot_view(traced, traced.trace(0, 639)),
    }


def _judged() -> dict[str, Callable[[], Figure]]:
    """What an evaluation draws: few classes and many, good models and bad, hostile names."""
    few = evaluation_of(10, 3000, NAMES)
    odd = evaluation_of(10, 300, ODD_NAMES)
    many = evaluation_of(100, 3000, LONG_NAMES * 10)
    two = evaluation_of(2, 40, ["bag", "shoe"])
    marks = {"1 % risk": 2.0, LONG_NAMES[0] * 9: 0.5, "5 % risk": 0.501, "all": 0.1}
    rng = np.random.default_rng(2)
    other = {LONG_NAMES[0] * 9: rng.normal(size=90), "noise": rng.normal(-2, 1, 90), "$x^{2": [0]}
    p = plotting

    def charts(name: str, judged: Evaluation) -> dict[str, Callable[[], Figure]]:
        chances, labels = judged.probabilities, judged.labels
        names = [entry.name for entry in judged.per_class]
        return {
            f"reliability {name}": lambda: p.plot_reliability(reliability(chances, labels)),
            f"roc {name}": lambda: p.plot_roc_curves(chances, labels, names),
            f"precision {name}": lambda: p.plot_precision_recall_curves(chances, labels, names),
            f"risk {name}": lambda: p.plot_risk_coverage(risk_coverage(chances, labels), marks),
            f"scores {name}": lambda: p.plot_class_scores(judged),
        }

    return {
        **charts("few", few),
        **charts("odd", odd),
        **charts("many", many),
        "reliability sure": lambda: p.plot_reliability(reliability(np.eye(3), np.arange(3))),
        "roc two": charts("two", two)["roc two"],
        "scores two": charts("two", two)["scores two"],
        "familiarity": lambda: p.plot_familiarity(rng.normal(3, 1, 900), 1.2),
        "familiarity others": lambda: p.plot_familiarity(rng.normal(3, 1, 900), 1.2, other),
        "familiarity one": lambda: p.plot_familiarity([3.0], 1e5),
    }


def evaluation_of(n_classes: int, n: int, names: list[str]) -> Evaluation:
    """Of a model that is neither good nor well calibrated; class 1 has no pictures."""
    rng = np.random.default_rng(n_classes)
    labels = rng.integers(0, n_classes, n)
    labels[labels == 1] = 0 if n_classes > 2 else 1
    logits = 2 * rng.normal(size=(n, n_classes))
    logits[np.arange(n), labels] += 3
    weights = np.exp(logits)
    return evaluate_probabilities(
        weights / weights.sum(axis=1, keepdims=True), labels, tuple(names)
    )


def _explained(china: np.ndarray) -> dict[str, Callable[[], Figure]]:
    """One picture explained: names that are long or odd, few layers and many, a black picture."""
    torch.manual_seed(0)
    layers = OrderedDict[str, nn.Module]()
    for n in range(9):
        layers[f"a_very_long_name_of_convolution_{n}"] = nn.Conv2d(3 if n == 0 else 16, 16, 3)
        layers[f"act{n}"] = nn.ReLU()
    deep = nn.Sequential(
        nn.Sequential(layers), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
    ).eval()
    flat = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.Flatten(), nn.Linear(88, 2)).eval()
    explained = explain_picture(deep, china[::12, ::12] / 255)
    explanations = {
        "deep": replace(explained, classes=tuple(LONG_NAMES), unsure=True, unknown=True),
        "odd": replace(explained, classes=tuple(ODD_NAMES), faithfulness=None),
        "flat": explain_picture(flat, np.zeros((9, 23, 1))),
    }
    assert explained.faithfulness is not None
    return {
        **{
            f"explanation {name}": lambda found=found: plotting.plot_explanation(
                found, ODD_NAMES[0]
            )
            for name, found in explanations.items()
        },
        "deletion": lambda: plotting.plot_deletion_insertion(explained.faithfulness),  # pyright: ignore[reportArgumentType]
    }


def _insides(china: np.ndarray) -> dict[str, Callable[[], Figure]]:
    """Values, fields and statistics of trained networks: one channel, many, large windows, NaN."""
    rng = np.random.default_rng(2)
    picture, colour, deep = (
        china[:24, :24, :1] / 255,
        china[:24, :30] / 255,
        rng.normal(size=(5, 5, 512)),
    )
    torch.manual_seed(0)
    small = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
    large = nn.Sequential(nn.Conv2d(3, 4, 9), nn.PReLU(4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    wide = nn.Sequential(
        nn.Conv2d(512, 512, 3, padding=1), nn.GELU(), nn.AvgPool2d(3, 1, 1), nn.Flatten()
    )
    named = nn.Sequential(
        OrderedDict({LONG_NAMES[1].replace(" ", "_"): nn.MaxPool2d(2), "flat": nn.Flatten()})
    )
    far = nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1) for _ in range(9)], nn.Flatten())
    many = nn.Sequential(*[nn.ReLU() for _ in range(70)], nn.Flatten())
    for network in (small, large, wide, named, far, many):
        network.eval()
    small[1].bias.data[:2] = -99.0
    holes = picture.copy()
    holes[3, 3] = np.nan

    def value(network: nn.Module, seen: np.ndarray, layer: str, *where: int) -> Figure:
        return plotting.plot_value_trace(trace_value(network, seen, layer, *where))

    def field(network: nn.Module, layer: str, row: int, column: int) -> Figure:
        seen = receptive_field(network, layer, row, column, input_shape=(24, 24, 1))
        effective = effective_receptive_field(network, picture[None], layer, row=row, column=column)
        return plotting.plot_receptive_field(picture, seen, effective)

    return {
        "value one channel": lambda: value(small, picture, "0", 0, 3, 1),
        "value not finite": lambda: value(small, holes, "0", 3, 3, 3),
        "value large": lambda: value(large, colour, "0", 3, 3, 3),
        "value mean": lambda: value(large, colour, "2", 0, 0, 3),
        "value many channels": lambda: value(wide, deep, "0", 0, 0, 511),
        "value padded mean": lambda: value(wide, deep, "2", 0, 0, 511),
        "value long name": lambda: value(named, colour, LONG_NAMES[1].replace(" ", "_"), 3, 3, 2),
        "field": lambda: field(small, "0", 3, 3),
        "field far": lambda: field(far, "8", 0, 23),
        "field alone": lambda: plotting.plot_receptive_field(
            colour, receptive_field(large, "0", 2, 20, input_shape=(24, 30, 3))
        ),
        "statistics": lambda: plotting.plot_activation_statistics(
            activation_statistics(small, picture[None])
        ),
        "statistics many": lambda: plotting.plot_activation_statistics(
            activation_statistics(many, picture[None])
        ),
    }
