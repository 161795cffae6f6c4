"""One training of ``rules.py``: a data set, a change of the rules, a seed."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F

from convolens.config import to_dict
from convolens.data import fit_preprocessing
from convolens.prediction import predict_logits, prepared_batches
from convolens.recipes import RECIPES
from convolens.training import Event, Recipe, fit
from convolens.training.events import EpochDone, RunStarted
from convolens.zoo import build_network
from rules_data import Division, divide

WATCHED = 100  # validation pictures that every epoch is judged on: all of them only at the end

Change = Callable[[Recipe], Recipe]


def _times(field: str, factor: float) -> Change:
    """A setting multiplied; whole numbers stay whole."""

    def changed(recipe: Recipe) -> Recipe:
        value = getattr(recipe, field)
        return replace(recipe, **{field: type(value)(value * factor)})

    return changed


def _argument(**arguments: int) -> Change:
    return lambda recipe: replace(recipe, arguments={**recipe.arguments, **arguments})


def _augmented(**changes: Any) -> Change:
    return lambda recipe: replace(recipe, augmentation=replace(recipe.augmentation, **changes))


def _rate(factor: float) -> Change:
    def changed(recipe: Recipe) -> Recipe:
        optimizer = recipe.optimizer
        return replace(
            recipe,
            optimizer=replace(optimizer, learning_rate=optimizer.learning_rate * factor),
        )

    return changed


CHANGES: dict[str, Change] = {
    "as ruled": lambda recipe: recipe,
    "epochs / 2": _times("epochs", 0.5),
    "epochs x 2": _times("epochs", 2),
    "batch / 2": _times("batch_size", 0.5),
    "batch x 2": _times("batch_size", 2),
    "width 16": _argument(width=16),
    "width 64": _argument(width=64),
    "depth 1": _argument(depth=1),
    "depth 3": _argument(depth=3),
    "shift 1": _augmented(shift=1),
    "shift 2": _augmented(shift=2),
    "flip": _augmented(flip=True),
    "no flip": _augmented(flip=False),
    "all pictures": lambda recipe: replace(recipe, hardest_share=1.0),
    "hardest half": lambda recipe: replace(recipe, hardest_share=0.5),
    "smoothing x 2": _times("label_smoothing", 2),
    "rate / 2": _rate(0.5),
    "rate x 2": _rate(2),
}
"""By name: what is done to the recipe after the rules have settled it, one thing at a time."""


def settled(recipe: str, part: Division) -> Recipe:
    """A recipe as its rules have it for these pictures."""
    size = min(part.train.images.shape[1:3])
    return RECIPES[recipe]().settled(len(part.train), size=size, mirrors=part.mirrors)


def applies(change: str, recipe: Recipe, part: Division) -> bool:
    """Whether a change is one, and allowed on these pictures."""
    return change == "as ruled" or (
        CHANGES[change](recipe) != recipe and (part.flips or change != "flip")
    )


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Train once on one thread.

    Args:
        job: "recipe", "data", "change" and "seed".

    Returns:
        The job with what came of it; "wrong" are the positions of the validation pictures that the
        network misjudged after the last step. Where the change does not apply, only that.
    """
    torch.set_num_threads(1)
    part = divide(job["data"], job["seed"])
    ruled = settled(job["recipe"], part)
    if not applies(job["change"], ruled, part):
        return {**job, "applies": False}
    recipe = CHANGES[job["change"]](ruled)
    preprocessing = fit_preprocessing(recipe.preprocessing, part.train.images)
    shape = part.train.images.shape[1:]
    network = build_network(
        recipe.architecture, shape, part.n_classes, seed=job["seed"], **recipe.arguments
    )
    judged: dict[str, Any] = {}

    def judge_last(event: Event) -> None:
        """Judge all validation pictures once, with the last weights, not the luckiest epoch's."""
        if isinstance(event, RunStarted):
            judged.update(steps=event.steps, parameters=event.parameters)
        elif isinstance(event, EpochDone) and event.step == judged["steps"]:
            judged["seconds"] = time.perf_counter() - begin
            judged.update(judge(network, preprocessing, part, recipe))

    begin = time.perf_counter()
    watched = part.validation.select(slice(WATCHED))
    result = fit(
        network, preprocessing, part.train, watched, recipe, seed=job["seed"], on_event=judge_last
    )
    if result.status != "completed":  # stopped by a signal, which is no result
        raise KeyboardInterrupt
    return {
        **job,
        "applies": True,
        "n_train": len(part.train),
        "n_validation": len(part.validation),
        **judged,
        "load": os.getloadavg()[0],
        "settings": to_dict(recipe),
    }


def judge(
    network: torch.nn.Module, preprocessing: Any, part: Division, recipe: Recipe
) -> dict[str, Any]:
    """Accuracy, loss and mistakes on all validation pictures."""
    logits = torch.from_numpy(
        predict_logits(
            network,
            prepared_batches(preprocessing, part.validation.images),
            mirrored=recipe.augmentation.flip is True,
        )
    )
    labels = torch.from_numpy(part.validation.labels)
    wrong = logits.argmax(1) != labels
    return {
        "accuracy": 1 - wrong.double().mean().item(),
        "loss": F.cross_entropy(logits, labels).item(),
        "wrong": wrong.nonzero().flatten().tolist(),
    }
