"""What a heat map costs: Grad-CAM against plain passes forward and back, on the same pictures.

    python benchmarks/explaining.py [--model MODEL] [--pictures 1000] [--rounds 9] [--threads N]

The model is a trained network of the recipe ``fast``; without ``--model`` one is trained first, on
Fashion-MNIST. In every round are timed, in turn: the passes, which give the gradient of the
likeliest logits by all weights; the same of each picture and its mirror image; forward alone;
Grad-CAM, as a user calls it, from uint8 pictures to maps of the picture's size; and LayerCAM of all
resolutions. The passes have the same batches and threads as Grad-CAM, a batch a thread, and get
pictures that are prepared. The goal is that Grad-CAM does no less than half as many pictures a
second as the passes of the pictures alone, though of a model of ``fast``, which judges by both
views of a picture, it looks at twice as many.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

import convolens as cl
from convolens.bundle import Model
from convolens.explain import grad_cam, layer_cam
from convolens.explain.batches import PASSING, batch_size
from convolens.explain.networks import network_input
from convolens.threads import thread_pool
from machine import write_result
from workers import spread

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="a run or a bundle; trained if none is given")
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()

    load = os.getloadavg()[0]
    torch.set_num_threads(given.threads)
    data = cl.load_data("fashion-mnist")
    model = cl.load_model(given.model) if given.model else trained(data)
    pictures = data.test.images[: given.pictures]
    size = batch_size(network_input(model, pictures[:1]), PASSING)
    batches = [
        network_input(model, pictures[start : start + size])
        for start in range(0, len(pictures), size)
    ]
    both = [torch.cat([batch, batch.flip(3)]) for batch in batches]
    sides: dict[str, Callable[[], Any]] = {
        "passes": lambda: passes(model, batches, given.threads, back=True),
        "passes_of_both_views": lambda: passes(model, both, given.threads, back=True),
        "forward": lambda: passes(model, batches, given.threads, back=False),
        "grad_cam": lambda: grad_cam(model, pictures),
        "layer_cam": lambda: layer_cam(model, pictures),
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(given.rounds + 1):
        for name, run in sides.items():
            start = time.perf_counter()
            run()
            if number:  # the first round warms up
                rates[name].append(len(pictures) / (time.perf_counter() - start))
    result: dict[str, Any] = {
        "model": {"architecture": model.architecture, "mirrored": model.mirrored},
        "pictures": list(pictures.shape),
        "batch": size,
        "threads": given.threads,
        "rounds": given.rounds,
        "load_average_before": load,
        "goal": GOAL,
        "layer": grad_cam(model, pictures[:1]).layer,
        "layers": list(layer_cam(model, pictures[:1]).layers),
    }
    show(result, rates)
    if not given.dry:
        write_result("explaining", result)


def trained(data: Any) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        return cl.load_model(cl.train(data, recipe="fast", seed=0, path=Path(folder) / "run").path)


def passes(model: Model, batches: list[Tensor], threads: int, *, back: bool) -> None:
    """Each batch through the network by one thread, and back to the weights."""
    network = model.network.eval()
    weights = [weight for weight in network.parameters() if weight.requires_grad]

    def run(batch: Tensor) -> None:
        with torch.set_grad_enabled(back):
            logits = network(batch)
            if back:
                torch.autograd.grad(logits.amax(dim=1).sum(), weights)

    with thread_pool(threads, each=1, name="passing") as pool:
        list(pool.map(run, batches))


def show(result: dict[str, Any], rates: dict[str, list[float]]) -> None:
    """Rates, and each round's ratios to the passes; printed, too."""
    for name, values in rates.items():
        result[f"{name}_per_second"] = spread(values)
    for name in ("grad_cam", "layer_cam", "forward", "passes_of_both_views"):
        pairs = zip(rates[name], rates["passes"], strict=True)
        result[f"{name}_over_passes"] = spread([ours / plain for ours, plain in pairs])
    result["met"] = result["grad_cam_over_passes"]["median"] >= GOAL
    for name, value in result.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
