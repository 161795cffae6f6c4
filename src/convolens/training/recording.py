"""The record of a run, from which it can be taken up again: settings, data, seed and machine."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch
from torch import nn

from convolens.config import choose, from_dict, to_dict
from convolens.data import KNOWN_DATASETS, Dataset, Preprocessing, fit_preprocessing, is_official
from convolens.training.hardware import choose_device, choose_precision, describe_machine
from convolens.training.settings import Recipe
from convolens.zoo import build_network


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """All that decides a run, and what is built from it."""

    data: Dataset
    recipe: Recipe
    """Settled."""
    seed: int
    preprocessing: Preprocessing
    network: nn.Module
    """With its initial weights, on the device."""
    device: torch.device


def settled_for(recipe: Recipe, data: Dataset) -> Recipe:
    """The recipe with what it leaves open decided by the training pictures."""
    return recipe.settled(
        len(data.train.labels), size=min(data.shape[:2]), mirrors=may_be_mirrored(data)
    )


def prepare_job(data: Dataset, recipe: Recipe, seed: int) -> Job:
    """Build what a run begins with: a function of data, recipe and seed alone.

    Raises:
        ConfigError: the recipe does not fit the data.
    """
    recipe = settled_for(recipe, data)
    preprocessing = fit_preprocessing(recipe.preprocessing, data.train.images, fit=data.fit)
    device = choose_device()
    network = build_network(
        recipe.architecture, data.shape, len(data.class_names), seed=seed, **recipe.arguments
    ).to(device)
    return Job(
        data=data,
        recipe=recipe,
        seed=seed,
        preprocessing=preprocessing,
        network=network,
        device=device,
    )


def may_be_mirrored(data: Dataset) -> bool:
    """Whether it is known that a picture's mirror image is of the same class."""
    return is_official(data) and KNOWN_DATASETS[data.name].mirrors


def new_record(
    job: Job, problems: Mapping[str, int], *, budget_seconds: float | None = None
) -> dict[str, Any]:
    """What ``run.json`` holds when a run begins."""
    data = job.data
    return {
        "recipe": to_dict(job.recipe),
        "recipe_kinds": {
            field.name: type(value).__name__
            for field in fields(job.recipe)
            if is_dataclass(value := getattr(job.recipe, field.name))
        },
        "seed": job.seed,
        "budget_seconds": budget_seconds,
        "data": {
            "name": data.name,
            "source": _source(data),
            "fingerprint": data.fingerprint,
            "shape": list(data.shape),
            "options": dict(data.options),
            "counts": {name: len(split.labels) for name, split in data.splits.items()},
            "classes": list(data.class_names),
            "seen": data.n_seen,
            "used": data.n_used,
            "skipped": [to_dict(problem) for problem in data.skipped],
            "problems": dict(problems),
        },
        "machine": describe_machine(job.device),
        "precision": choose_precision(job.recipe.precision, job.device),
        "status": "running",
        "results": {},
    }


def recorded_recipe(record: Mapping[str, Any]) -> Recipe:
    """The recipe of a run, made again from its record.

    Raises:
        ConfigError: the record is damaged, or was written by another version of Convolens.
    """
    # Two optimisers may have fields of the same names: the record says which one it was.
    hints = get_type_hints(Recipe)
    parts = {
        name: from_dict(_member(hints[name], name, kind), record["recipe"][name], source=name)
        for name, kind in record.get("recipe_kinds", {}).items()
    }
    return from_dict(Recipe, {**record["recipe"], **parts}, source="recipe of run.json")


def machine_differences(record: Mapping[str, Any], job: Job) -> tuple[str, ...]:
    """In what this machine is not the one that a run began on; another one may round otherwise."""
    now = {
        **describe_machine(job.device),
        "precision": choose_precision(job.recipe.precision, job.device),
    }
    then = {**record.get("machine", {}), "precision": record.get("precision")}
    lines = [
        f"{name} is {now[name]!r}, was {then[name]!r}"
        for name in ("processor", "threads", "device", "precision", "python")
        if then.get(name) is not None and then[name] != now[name]
    ]
    before = then.get("versions", {})
    lines += [
        f"{name} is {version}, was {before[name]}"
        for name, version in now["versions"].items()
        if before.get(name, version) != version
    ]
    return tuple(f"the bits may differ from a run that never stopped: {line}" for line in lines)


def _member(hint: Any, name: str, kind: str) -> type[Any]:
    members = {member.__name__: member for member in get_args(hint) or (hint,)}
    return choose(name, kind, members)


def _source(data: Dataset) -> str:
    """What ``load_data`` takes to find the data again, from any folder."""
    if is_official(data):
        return data.name
    path = Path(data.source)
    return str(path.resolve()) if path.exists() else data.source
