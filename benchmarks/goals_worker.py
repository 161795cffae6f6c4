"""One run of ``goals.py``, in a process of its own: prints one JSON object.

python benchmarks/goals_worker.py '{"recipe": "fast", "changes": {}, "seed": 0, "split": "test"}'
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

import convolens as cl
from convolens.bundle import Model
from convolens.evaluation import evaluate
from convolens.recipes import RECIPES
from convolens.training.hardware import choose_device
from convolens.training.loop import fit
from convolens.training.recording import prepare_job
from convolens.training.saving import ModelKeeper
from convolens.zoo import summarise

PRODUCT = 2048  # side of the matrices whose product is timed
PRODUCTS = 20


def main(asked: dict[str, Any]) -> dict[str, Any]:
    data = cl.load_data("fashion-mnist")
    recipe = RECIPES[asked["recipe"]](**asked["changes"])
    start = time.perf_counter()
    job = prepare_job(data, recipe, asked["seed"])
    result = fit(
        job.network, job.preprocessing, data.train, data.validation, job.recipe, seed=asked["seed"]
    )
    if job.device.type == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    job.network.eval()
    model = ModelKeeper(Path("unused"), job).model(result.best)
    judged = evaluate(model, data, split=asked["split"])
    work = operations_per_picture(model) * result.images_per_second
    return {
        "seed": asked["seed"],
        "accuracy": judged.accuracy,
        "val_accuracy": result.best.val_accuracy,
        "seconds": seconds,
        "train_seconds": result.train_seconds,
        "images_per_second": result.images_per_second,
        "share_of_product_rate": work / product_rate(),
        "epochs": job.recipe.epochs,
        "flip": job.recipe.augmentation.flip,
        "threads": torch.get_num_threads(),
        "device": str(job.device),
        "precision": result.precision,
    }


def operations_per_picture(model: Model) -> float:
    """Multiplications and additions of a training step for one picture, of those that are made.

    Forward every layer; backward, to the weights of every layer that learns, and to the input of
    every one that lies behind a layer that learns.
    """
    frozen = {
        name.rpartition(".")[0]
        for name, parameter in model.network.named_parameters()
        if not parameter.requires_grad
    }
    layers = [
        layer for layer in summarise(model.network, model.input_shape).layers if layer.multiply_adds
    ]
    learning = [layer for layer in layers if layer.name not in frozen]
    forward = sum(layer.multiply_adds for layer in layers)
    backward = 2 * sum(layer.multiply_adds for layer in learning) - learning[0].multiply_adds
    return 2.0 * (forward + backward)


def product_rate() -> float:
    """Operations a second of a large bfloat16 matrix product, all threads, median."""
    device = choose_device()
    a, b = (torch.randn(PRODUCT, PRODUCT, device=device).bfloat16() for _ in range(2))
    taken = []
    for _ in range(PRODUCTS):
        start = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return 2.0 * PRODUCT**3 / sorted(taken)[PRODUCTS // 2]


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
