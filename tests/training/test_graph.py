"""A whole training step can be captured: proven on the CPU by a recording of its operations.

A recording stands for a CUDA graph. Like one it does nothing when it is made, keeps every number of
Python's, and when it is replayed reads and writes the tensors that it saw, in their places.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from convolens.data import Split, fit_preprocessing
from convolens.recipes import fast
from convolens.training import Augmentation, Event, MuonAdamW, Recipe
from convolens.training.feeding import Batch, Feed
from convolens.training.graph import Capture, Compute, no_capture
from convolens.training.imbalance import balanced_weights, classification_loss
from convolens.training.judging import BestWeights
from convolens.training.measuring import Progress
from convolens.training.packing import pack, unpack
from convolens.training.passes import Passes
from convolens.training.resident import ResidentFeed
from convolens.training.state import TrainingState
from convolens.training.step import EagerStep, LearningRates, Step, choose_step
from convolens.training.step_static import StaticStep
from convolens.training.step_updates import StaticAdamW
from convolens.training.updates import AdamW
from convolens.zoo import build_network, whiten

CPU = torch.device("cpu")
STEPS = 18
N, BATCH = 50, 16  # four batches an epoch: two of 13 and two of 12


class Recording(TorchDispatchMode):
    """Every operation below autograd, with the very tensors and numbers that it was called with."""

    FORBIDDEN = (
        torch.ops.aten._local_scalar_dense.default,  # .item(), float(), if
        torch.ops.aten.nonzero.default,
        torch.ops.aten.equal.default,
    )

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, Any]] = []
        self._own: set[int] = set()
        self._before: dict[int, tuple[Any, Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in self.FORBIDDEN:
            raise RuntimeError(f"{func} is not permitted when stream is capturing")
        kwargs = kwargs or {}
        for storage in map(Tensor.untyped_storage, tensors((args, kwargs))):
            place = storage.data_ptr()
            if place not in self._own and place not in self._before:
                self._before[place] = (storage, storage.clone())
        result = func(*args, **kwargs)
        self._own |= places(result) - self._before.keys()
        self.calls.append((func, args, kwargs, result))
        return result

    def undo(self) -> None:
        """Leave everything as it was: a capture does nothing."""
        for storage, content in self._before.values():
            storage.copy_(content)

    @torch.no_grad()
    def replay(self) -> None:
        for func, args, kwargs, results in self.calls:
            inside = places((args, kwargs))
            if not func._schema.is_mutable and places(results) & inside:
                continue  # a view: no work, and still one
            again = func(*args, **kwargs)
            for old, new in zip(tensors(results), tensors(again), strict=True):
                if not places(new) & inside:
                    old.copy_(new)


def tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def places(tree: Any) -> set[int]:
    return {tensor.untyped_storage().data_ptr() for tensor in tensors(tree)} - {0}


class Recorder:
    """Captures on the CPU."""

    def __init__(self) -> None:
        self.recordings: list[Recording] = []

    def __call__(self, compute: Compute) -> Compute:
        recording = Recording()
        try:
            with recording:
                compute()
        finally:
            recording.undo()
        self.recordings.append(recording)
        return recording.replay


def pictures(seed: int) -> Split:
    rng = np.random.default_rng(seed)
    labels = np.arange(N, dtype=np.int64) % 3
    shades = rng.integers(0, 160, (N, 8, 8, 1)) + 40 * labels[:, None, None, None]
    return Split(shades.astype(np.uint8), labels)


def recipe_of(**changes: Any) -> Recipe:
    changes = {
        "augmentation": Augmentation(shift=1, flip=True),
        "hardest_share": 0.6,  # later rounds of 32 pictures and more, in batches of 16
        **changes,
    }
    return fast(epochs=4.5, batch_size=BATCH, **changes).settled(N)


class Training:
    """What ``fit`` does, with a step of one's own making."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        capture: Capture | None,
        feed: type[Feed] = ResidentFeed,
        adamw: type[AdamW] = StaticAdamW,
        resumed: Any = None,
        device: torch.device = CPU,
    ) -> None:
        train = pictures(0)
        preprocessing = fit_preprocessing(recipe.preprocessing, train.images)
        self.events: list[Event] = []
        self.recipe = recipe
        self.network = build_network("compact", (8, 8, 1), 3, seed=0, width=8).to(device).train()
        self.feed = feed(train, preprocessing, recipe, seed=5, device=device)
        static = feed is not Feed
        assert isinstance(recipe.optimizer, MuonAdamW)
        build = recipe.optimizer.build_static if static else recipe.optimizer.build
        optimizers = build(self.network)
        if adamw is not StaticAdamW and static:
            optimizers[-1] = adamw(optimizers[-1].param_groups, lr=0.02, betas=(0.9, 0.98))
        best = BestWeights(self.network, pictures(1), preprocessing)
        hardest = self.feed.hardest
        progress = Progress(STEPS, self.events.append, device=device, hardest=hardest)
        self.state = TrainingState(
            network=self.network,
            optimizers=optimizers,
            best=best,
            progress=progress,
            steps=STEPS,
            parts={"hardest": hardest},
        )
        self.rates = LearningRates(optimizers)
        if resumed is not None:
            self.state.load_state_dict(resumed)
        elif device == CPU:
            whiten(self.network, self.feed.sample(N))
        weights = balanced_weights(train.labels) if recipe.class_weights == "balanced" else None
        loss = partial(classification_loss, weights=weights, label_smoothing=0.1)
        bfloat16 = recipe.precision == "bfloat16"
        self.passes = Passes(self.network, parts=1, loss=loss, bfloat16=bfloat16)
        self.step: Step
        if capture is None:
            self.step = EagerStep(self.feed, self.passes, optimizers, progress, seed=0)
        else:
            self.step = StaticStep(
                self.feed, self.passes, optimizers, progress, capture=capture,
                on_event=self.events.append, warm_up=1,
            )  # fmt: skip

    def run(self, until: int = STEPS) -> "Training":
        state = self.state
        while state.step < until:
            rate = self.rates.set(self.recipe.schedule.factor((state.step + 0.5) / STEPS))
            n = self.step(state.step)
            state.step += 1
            epoch = self.feed.epoch_of(state.step)
            state.progress.tell(state.step, STEPS, epoch, n, rate)
            if self.feed.ends_epoch(state.step):
                self.events.append(state.best.judge(epoch, state.step, state.progress))
        return self

    def told(self) -> list[Any]:
        """Every number that was told but the times."""
        return [
            {name: value for name, value in vars(event).items() if "second" not in name}
            for event in self.events
        ]


def differs(one: Training, other: Training) -> bool:
    ours, theirs = ({**each.network.state_dict()} for each in (one, other))
    return any(not torch.equal(value, theirs[name]) for name, value in ours.items())


def assert_same(one: Training, other: Training) -> None:
    assert not differs(one, other)
    assert one.told() == other.told()
    for mine, theirs in zip(one.state.optimizers, other.state.optimizers, strict=True):
        packed = [pack(each.state_dict()) for each in (mine, theirs)]
        assert packed[0][0] == packed[1][0]
        for name, value in packed[0][1].items():
            assert torch.equal(value, packed[1][1][name])


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": "float32"},
        {"precision": "bfloat16"},
        {
            "precision": "float32",
            "class_weights": "balanced",
            "preprocessing": "per_pixel",
            "hardest_share": 1.0,
        },
        {
            "precision": "float32",
            "sampling": "balanced",
            "augmentation": Augmentation(),
            "hardest_share": 1.0,
        },
    ],
)
def test_a_replayed_step_gives_the_bits_of_a_computed_one(changes: dict[str, Any]) -> None:
    recorder = Recorder()
    replayed = Training(recipe_of(**changes), capture=recorder).run()
    computed = Training(recipe_of(**changes), capture=no_capture).run()
    sizes = 2 if recipe_of(**changes).hardest_share == 1 else 3  # of batches
    assert len(recorder.recordings) == sizes
    assert_same(replayed, computed)


class CountsInPython(StaticAdamW):
    """As PyTorch's own: the count of steps and the rate are Python's numbers."""

    def plan(self) -> None:
        pass

    def apply(self) -> None:
        AdamW.step(self)


class PlacesInPython(ResidentFeed):
    """Knows which batch it is at by a number of Python's."""

    def gather(self, n: int) -> Batch:
        start = self._bounds[self.position]
        self._start = torch.full((), start, dtype=torch.int64)
        return super().gather(n)

    def _go_to(self, position: int) -> int:
        self.position = position
        return super()._go_to(position)


class NewOrders(ResidentFeed):
    """Puts every epoch's order at a place of its own."""

    def _begin(self) -> None:
        self._samples_in_order = torch.zeros_like(self._samples_in_order)
        super()._begin()


@pytest.mark.parametrize(
    "frozen", [{"adamw": CountsInPython}, {"feed": PlacesInPython}, {"feed": NewOrders}]
)
def test_what_a_capture_would_freeze_shows(frozen: dict[str, Any]) -> None:
    """The proof above can fail: each of these is right computed, and wrong replayed."""
    recipe = recipe_of(precision="float32")
    computed = Training(recipe, capture=no_capture, **frozen).run()
    right = Training(recipe, capture=no_capture).run()
    for name, value in right.network.state_dict().items():
        torch.testing.assert_close(computed.network.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    assert differs(Training(recipe, capture=Recorder(), **frozen).run(), computed)


def test_a_learning_rate_that_is_frozen_shows() -> None:
    recipe = recipe_of(precision="float32")
    computed = Training(recipe, capture=no_capture).run()
    frozen = Training(recipe, capture=Recorder())
    for optimizer in frozen.state.optimizers:
        plan, planned = optimizer.plan, []

        def once(plan: Callable[[], None] = plan, planned: list[int] = planned) -> None:
            if len(planned) < 9:  # as if the numbers of the captured step stayed
                plan()
            planned.append(1)

        optimizer.plan = once
    assert differs(frozen.run(), computed)


def test_the_step_is_that_of_the_host_to_rounding() -> None:
    recipe = recipe_of(precision="float32")
    static = Training(recipe, capture=no_capture).run(6)
    host = Training(recipe, capture=None, feed=Feed).run(6)
    for name, value in host.network.state_dict().items():
        torch.testing.assert_close(static.network.state_dict()[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("step", [1, 7, 8, 13])
def test_a_run_that_goes_on_is_captured_again_and_ends_with_the_same_bits(step: int) -> None:
    recipe = recipe_of(precision="bfloat16")
    whole = Training(recipe, capture=Recorder()).run()
    first = Training(recipe, capture=Recorder()).run(step)
    packed, values = pack(first.state.state_dict())
    saved = unpack(json.loads(json.dumps(packed)), values)
    second = Training(recipe, capture=Recorder(), resumed=saved).run()
    second.events[:0] = first.events
    assert_same(second, whole)


class Reads(ResidentFeed):
    """Waits for the device in every step."""

    def gather(self, n: int) -> Batch:
        batch = super().gather(n)
        return batch._replace(images=batch.images * float(batch.targets.max() >= 0))


def test_a_step_that_waits_for_the_device_is_not_captured_and_that_is_said_once() -> None:
    recipe = recipe_of(precision="float32")
    refused = Training(recipe, capture=Recorder(), feed=Reads).run()
    computed = Training(recipe, capture=no_capture).run()
    said = [event for event in refused.events if event.event == "graph_refused"]
    assert len(said) == 1
    assert "_local_scalar_dense" in said[0].reason
    refused.events.remove(said[0])
    assert_same(refused, computed)


def test_sums_stay_in_their_place_when_an_epoch_is_judged() -> None:
    progress = Progress(100, lambda _: None)
    place = progress.epoch.loss.data_ptr()
    samples = torch.arange(3)
    batch = Batch(torch.zeros(3, 1, 2, 2), torch.tensor([0, 1, 1]), samples)
    progress.count(batch, torch.tensor(2.0), torch.eye(3))
    progress.tell(1, 100, 1, 3, 0.1)
    assert progress.end_epoch() == (2.0, pytest.approx(2 / 3))
    assert progress.epoch.n == 0
    progress.count(batch._replace(targets=samples), torch.tensor(5.0), torch.eye(3))
    progress.tell(2, 100, 1, 3, 0.1)
    assert progress.epoch.read() == (5.0, 1.0)
    assert progress.epoch.loss.data_ptr() == place


class OneDevice(TorchDispatchMode):
    """Refuses an operation on a tensor of another device: on a GPU a copy, or a frozen number."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = device
        self.seen = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tensors((args, kwargs, result)):
            assert tensor.device.type == self.device, func
            self.seen += 1
        return result


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"class_weights": "balanced", "hardest_share": 1.0},
        {"sampling": "balanced", "hardest_share": 1.0},
    ],
)
def test_the_step_touches_one_device_alone(changes: dict[str, Any]) -> None:
    """The device of no numbers stands for a GPU: nothing can be read from it, either."""
    meta = torch.device("meta")
    training = Training(recipe_of(precision="float32", **changes), capture=no_capture, device=meta)
    loss = training.passes.loss
    if isinstance(loss, partial) and loss.keywords["weights"] is not None:
        loss.keywords["weights"] = loss.keywords["weights"].to(meta)
    assert isinstance(training.step, StaticStep)
    for step in range(3):
        training.rates.set(0.5)
        for optimizer in training.step.optimizers:
            optimizer.plan()
        n = training.feed.seek(step)
        with OneDevice("meta") as mode:
            training.step.compute(n)
        assert mode.seen > 500


def test_on_a_cpu_nothing_is_captured() -> None:
    training = Training(recipe_of(), capture=None, feed=Feed)
    step = choose_step(
        training.feed, training.passes, training.state, seed=0, on_event=training.events.append
    )
    assert isinstance(step, EagerStep)
