"""A model that was judged, on pictures of its own."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convolens.bundle import Model
from convolens.data import LabelledPictures, Preprocessing, Split
from convolens.evaluation import evaluate_probabilities
from convolens.reports import Judged, RunFacts, evaluation_page
from convolens.zoo import build_network

sys.path.insert(0, str(Path(__file__).parent))

RUN = RunFacts(
    settings={"name": "fast", "schedule": {"warmup": 0.2}},
    facts={"seed": 0},
    data={"trained on": "ants"},
)


@pytest.fixture(scope="session")
def judge() -> Callable[..., Judged]:
    """Makes one of n pictures, of which a share is judged wrongly."""

    def make(
        n: int = 120,
        classes: tuple[str, ...] = ("ant", "bee", "cat"),
        shape: tuple[int, int, int] = (12, 12, 1),
        wrong: float = 0.2,
        **changed: object,
    ) -> Judged:
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
        labels = (np.arange(n) % len(classes)).astype(np.int64)
        called = np.where(rng.random(n) < wrong, (labels + 1) % len(classes), labels)
        probabilities = rng.dirichlet(np.ones(len(classes)), n).astype(np.float32) / 2
        probabilities[np.arange(n), called] += 0.5
        model = Model(
            network=build_network("compact", shape, len(classes), width=4).eval(),
            architecture="compact",
            arguments={"width": 4},
            preprocessing=Preprocessing("scale", shape),
            classes=classes,
        )
        names = changed.pop("names", None)
        judged = Judged(
            model=model,
            evaluation=evaluate_probabilities(probabilities, labels, classes),
            pictures=LabelledPictures(
                name="insects",
                which=f"the {n} pictures of the split test",
                split=Split(images, labels, names),  # pyright: ignore[reportArgumentType]
                class_names=classes,
                problems=(),
            ),
            command="convolens evaluate runs/insects --report report.html",
            trained_on=0,
            run=RUN,
        )
        return replace(judged, **changed)  # pyright: ignore[reportArgumentType]

    return make


@pytest.fixture(scope="session")
def judged(judge: Callable[..., Judged]) -> Judged:
    """The usual one."""
    return judge()


@pytest.fixture(scope="session")
def html(judged: Judged) -> str:
    """Its page."""
    return evaluation_page(judged)
