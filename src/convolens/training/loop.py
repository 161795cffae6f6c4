"""The training loop. ``fit`` reads from top to bottom like the pseudo-code in a paper."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import nn

from convolens.allocator import keep_freed_memory
from convolens.data import Preprocessing, Split
from convolens.training.budget import Budget, BudgetPace, Pace, PlannedPace
from convolens.training.events import Callback, EpochDone, RunEnded, RunStarted
from convolens.training.expectations import Expectation
from convolens.training.feeding import Feed
from convolens.training.hardware import choose_precision, side_stream
from convolens.training.imbalance import balanced_weights, classification_loss
from convolens.training.interrupts import stop_on_signal
from convolens.training.judging import BestWeights
from convolens.training.measuring import Diverged, Progress
from convolens.training.passes import Passes, parts_of_batch
from convolens.training.resident import choose_feed
from convolens.training.settings import Recipe
from convolens.training.state import TrainingState
from convolens.training.step import LearningRates, choose_step
from convolens.zoo import whiten

WHITENED_BY = 2_000  # training pictures: some 400,000 patches for 32 x 32 numbers at most


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
    """From the first step to the end, validation included, over all parts of a resumed run."""
    images_per_second: float
    """Training pictures a second, validation and checkpoints excluded."""
    stop_asked: bool = False
    """Whether a person or the system asked to stop. During the very last step that changes nothing
    for this run, which is completed; but no other should be begun after it."""


class Saver(Protocol):
    """Writes checkpoints. It only looks at the state: when it does so changes no weight."""

    def due(self, state: TrainingState) -> bool:
        """Whether it is time to."""
        ...

    def save(self, state: TrainingState) -> None:
        """Write one."""
        ...


class NoSaver:
    """No checkpoints."""

    def due(self, state: TrainingState) -> bool:  # noqa: ARG002 - the interface of a saver
        """Never."""
        return False

    def save(self, state: TrainingState) -> None:
        """Write nothing."""


def fit(
    network: nn.Module,
    preprocessing: Preprocessing,
    train: Split,
    validation: Split,
    recipe: Recipe,
    *,
    seed: int,
    on_event: Callback = lambda _: None,
    saver: Saver = NoSaver(),
    resumed: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
    expected: Expectation = Expectation(),
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
        saver: asked after every step whether a checkpoint is due.
        resumed: what ``TrainingState.state_dict`` gave, to go on from there as if never stopped.
        budget: a time instead of the recipe's epochs. How many steps it is enough for depends on
            the machine and on what else it does, so the result is not the same to the bit.
        expected: of the run, to be said before it starts.

    Returns:
        What happened. Ctrl-C or SIGTERM ends the run after the current step with a checkpoint,
        judges what was reached, and the status is "interrupted"; a second one raises.

    Raises:
        Diverged: the loss is no longer a number, or enormous. The network has the weights of the
            best epoch before, if there was one.
    """
    recipe = recipe.settled(len(train.labels), size=min(train.images.shape[1:3]))
    device = next(network.parameters()).device
    precision = choose_precision(recipe.precision, device)
    feed = choose_feed(train, preprocessing, recipe, seed=seed, device=device)
    pace = PlannedPace() if budget is None else BudgetPace(budget, expected.seconds_per_step)
    state = _beginning(network, preprocessing, validation, recipe, feed, pace, on_event)
    rates = LearningRates(state.optimizers)
    if resumed is None:
        whiten(network, feed.sample(WHITENED_BY))
    else:
        state.load_state_dict(resumed)
    on_event(_started(recipe, state, len(train.labels), device, precision, expected))

    keep_freed_memory()
    with _repeatably(device), stop_on_signal() as stop, _best_on(state):
        passes = _passes(network, train, recipe, bfloat16=precision == "bfloat16")
        take_step = choose_step(feed, passes, state, seed=seed, on_event=on_event)
        with passes:
            while state.step < state.steps:
                rate = rates.set(recipe.schedule.factor(pace.share(state)))
                n = take_step(state.step)
                state.step += 1
                epoch = feed.epoch_of(state.step)
                state.progress.tell(state.step, state.steps, epoch, n, rate)
                if feed.ends_epoch(state.step) or state.step >= state.steps:
                    on_event(state.best.judge(epoch, state.step, state.progress))
                    pace.judged(state.best.took)
                if stop.asked or state.step >= state.steps:
                    break
                if saver.due(state):
                    saver.save(state)
        if state.step < state.steps:
            _keep_unfinished(state, feed, saver, on_event)
    return _ended(state, precision, on_event, stop_asked=stop.asked)


def _beginning(
    network: nn.Module,
    preprocessing: Preprocessing,
    validation: Split,
    recipe: Recipe,
    feed: Feed,
    pace: Pace,
    on_event: Callback,
) -> TrainingState:
    """The state before the first step."""
    assert recipe.epochs is not None
    steps = max(1, round(recipe.epochs * feed.steps_per_epoch))
    hardest = feed.hardest if feed.hardest.share < 1 else None
    return TrainingState(
        network=network.train(),
        optimizers=recipe.optimizer.build(network),
        best=BestWeights(
            network,
            validation,
            preprocessing,
            by_class=recipe.balanced,
            mirrored=recipe.augmentation.flip is True,
        ),
        progress=Progress(steps, on_event, device=feed.device, hardest=hardest),
        steps=steps,
        parts={"pace": pace, "hardest": feed.hardest},
    )


def _keep_unfinished(state: TrainingState, feed: Feed, saver: Saver, on_event: Callback) -> None:
    """Save the state, then judge what was reached: a run that goes on never judged it there."""
    saver.save(state)
    if not feed.ends_epoch(state.step):
        on_event(state.best.judge(feed.epoch_of(state.step), state.step, state.progress))


def _passes(network: nn.Module, train: Split, recipe: Recipe, *, bfloat16: bool) -> Passes:
    """The forward and backward passes by a recipe."""
    assert recipe.batch_size is not None
    device = next(network.parameters()).device
    weights = None if recipe.class_weights == "none" else balanced_weights(train.labels).to(device)
    loss = partial(classification_loss, weights=weights, label_smoothing=recipe.label_smoothing)
    parts = parts_of_batch(network, min(recipe.batch_size, len(train.labels)))
    return Passes(network, parts=parts, loss=loss, bfloat16=bfloat16)


@contextmanager
def _repeatably(device: torch.device) -> Iterator[None]:
    """What happens in the block depends on no random state and leaves none changed.

    cuDNN picks its algorithms by timing them unless it is told not to; a CPU is not concerned. On a
    GPU the block has a stream of its own, on which steps can be captured.
    """
    devices = [device] if device.type == "cuda" else []
    with (
        side_stream(device),
        torch.random.fork_rng(devices),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
    ):
        yield


def _started(
    recipe: Recipe,
    state: TrainingState,
    n: int,
    device: torch.device,
    precision: str,
    expected: Expectation,
) -> RunStarted:
    assert recipe.epochs is not None
    assert recipe.batch_size is not None
    return RunStarted(
        epochs=recipe.epochs,
        steps=state.steps,
        n_train=n,
        batch_size=min(recipe.batch_size, n),
        parameters=sum(parameter.numel() for parameter in state.network.parameters()),
        device=str(device),
        precision=precision,
        seconds_expected=expected.seconds,
        accuracy_expected=expected.accuracy,
        hardest_share=1.0 if recipe.hardest_share == "auto" else recipe.hardest_share,
    )


def _ended(
    state: TrainingState, precision: str, on_event: Callback, *, stop_asked: bool
) -> FitResult:
    status = "interrupted" if state.step < state.steps else "completed"
    best = state.best.restore()
    assert best is not None, "an epoch is judged before the loop can end"
    seconds = state.progress.seconds()
    on_event(RunEnded(status=status, step=state.step, best_epoch=best.epoch, train_seconds=seconds))
    return FitResult(
        status=status,
        epochs=tuple(state.best.epochs),
        best=best,
        precision=precision,
        train_seconds=seconds,
        images_per_second=state.progress.images_per_second(),
        stop_asked=stop_asked,
    )


@contextmanager
def _best_on(state: TrainingState) -> Iterator[None]:
    """Should the training diverge in the block, the network gets its best weights back."""
    try:
        yield
    except Diverged as error:
        error.best = state.best.restore()
        raise
