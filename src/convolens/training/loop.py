"""The training loop. ``fit`` reads from top to bottom like the pseudo-code in a paper."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from convolens.bundle import to_network_input
from convolens.data import Preprocessing, Split
from convolens.training.events import Callback, EpochDone, RunEnded, RunStarted
from convolens.training.hardware import choose_precision
from convolens.training.imbalance import (
    balanced_weights,
    classification_loss,
    training_order,
)
from convolens.training.interrupts import stop_on_signal
from convolens.training.judging import BestWeights
from convolens.training.measuring import Progress
from convolens.training.settings import Recipe


@dataclass(frozen=True, eq=False, kw_only=True)
class FitResult:
    """What training a network gave. The network itself now has its best weights."""

    status: str
    """"completed" or "interrupted"."""
    epochs: tuple[EpochDone, ...]
    """One entry an epoch that was judged."""
    best: EpochDone
    """The epoch whose weights the network has: of the highest accuracy on the validation part, or
    by class if the recipe balances classes."""
    precision: str
    """"bfloat16" or "float32"."""
    train_seconds: float
    """From the first step to the end, validation included."""
    images_per_second: float
    """Training pictures a second, validation excluded."""


def fit(
    network: nn.Module,
    preprocessing: Preprocessing,
    train: Split,
    validation: Split,
    recipe: Recipe,
    *,
    seed: int,
    on_event: Callback = lambda _: None,
) -> FitResult:
    """Train a network in place, and leave it with the weights of its best epoch.

    Args:
        network: from (n, channels, height, width) to logits; on the device that is to be used.
        preprocessing: applied to every batch.
        train: what it learns from.
        validation: what its epochs are judged on; never learnt from.
        recipe: every setting.
        seed: of order, augmentation and dropout. With the same seed, data, recipe, initial weights
            and machine, the result is the same to the bit.
        on_event: called with every event, in the training thread.

    Returns:
        What happened. Ctrl-C ends the run after the current step, judges what was reached, and the
        status is "interrupted"; a second Ctrl-C raises.

    Raises:
        ConfigError: the loss is no longer a number.
    """
    recipe = recipe.settled(len(train.labels))
    assert recipe.epochs is not None
    assert recipe.batch_size is not None
    device = next(network.parameters()).device
    precision = choose_precision(recipe.precision, device)
    optimizers = recipe.optimizer.build(network)
    peaks = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    steps_per_epoch = math.ceil(len(train.labels) / recipe.batch_size)
    steps = max(1, round(recipe.epochs * steps_per_epoch))
    labels = torch.from_numpy(train.labels)
    weights = None if recipe.class_weights == "none" else balanced_weights(train.labels).to(device)
    progress = Progress(steps, on_event)
    best = BestWeights(network, validation, preprocessing, by_class=recipe.balanced)

    on_event(
        RunStarted(
            epochs=recipe.epochs,
            steps=steps,
            n_train=len(labels),
            batch_size=min(recipe.batch_size, len(labels)),
            parameters=sum(parameter.numel() for parameter in network.parameters()),
            device=str(device),
            precision=precision,
        )
    )
    network.train()
    step = 0
    devices = [device] if device.type == "cuda" else []
    # cuDNN picks its algorithms by timing them unless it is told not to; a CPU is not concerned.
    repeatable = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
    with stop_on_signal() as stop, torch.random.fork_rng(devices), repeatable:
        for epoch in range(math.ceil(steps / steps_per_epoch)):
            plan = recipe.augmentation.plan(len(labels), seed=seed, epoch=epoch)
            order = training_order(recipe.sampling, train.labels, seed, epoch)
            # Batches as equal as can be: a last one of a picture or two would upset the
            # statistics of a batch normalisation.
            for samples in np.array_split(order, steps_per_epoch):
                _seed_dropout(seed, step)
                images = to_network_input(preprocessing(train.images[samples]), device)
                images = plan.apply(images, torch.from_numpy(samples))
                targets = labels[samples].to(device)

                rate = recipe.schedule.factor((step + 0.5) / steps)
                _set_learning_rates(optimizers, peaks, rate)
                with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                    logits = network(images)
                loss = classification_loss(
                    logits.float(), targets, weights, label_smoothing=recipe.label_smoothing
                )
                loss.backward()
                for optimizer in optimizers:
                    optimizer.step()
                    optimizer.zero_grad()

                step += 1
                progress.add(step, epoch + 1, loss, logits, targets, peaks[0][0] * rate)
                if step == steps or stop.asked:
                    break
            on_event(best.judge(epoch + 1, step, progress))
            if stop.asked:
                break
    network.load_state_dict(best.weights)
    status = "interrupted" if stop.asked and step < steps else "completed"
    return _ended(status, step, best, precision, progress, on_event)


def _ended(
    status: str,
    step: int,
    best: "BestWeights",
    precision: str,
    progress: "Progress",
    on_event: Callback,
) -> FitResult:
    assert best.event is not None, "an epoch is judged before the loop can end"
    on_event(
        RunEnded(
            status=status,
            step=step,
            best_epoch=best.event.epoch,
            train_seconds=progress.seconds(),
        )
    )
    return FitResult(
        status=status,
        epochs=tuple(best.epochs),
        best=best.event,
        precision=precision,
        train_seconds=progress.seconds(),
        images_per_second=progress.images_per_second(),
    )


def _seed_dropout(seed: int, step: int) -> None:
    """Make what a step draws a function of (seed, step) alone."""
    state = np.random.SeedSequence([seed, step]).generate_state(2, np.uint32)
    torch.manual_seed(int(state[0]) << 32 | int(state[1]))


def _set_learning_rates(
    optimizers: list[torch.optim.Optimizer], peaks: list[list[float]], factor: float
) -> None:
    for optimizer, rates in zip(optimizers, peaks, strict=True):
        for group, peak in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = peak * factor
