"""A recipe: everything that decides how a network is trained, in one frozen object."""

import math
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Literal

from convolens.data import PREPROCESSING_KINDS
from convolens.errors import ConfigError
from convolens.training.augmentation import Augmentation
from convolens.training.imbalance import CLASS_WEIGHTS, SAMPLINGS, ClassWeights, Sampling
from convolens.training.optimizers import MuonAdamW, NAdam
from convolens.training.schedules import Constant, Schedule, Triangular

Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS = ("auto", "float32", "bfloat16")

FLIPPED_FROM = 2  # epochs
HARDEST_FROM = 25_000  # training pictures
SHIFTED_BELOW = 5_000  # training pictures
SHIFT_OF = 32  # pixels of a picture's side for one of a shift


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides how a network is trained, but the data and the seed."""

    name: str
    """Under which it is known, and which names the run."""
    architecture: str
    """A key of ``zoo.ARCHITECTURES``."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the architecture."""
    preprocessing: str = "per_channel"
    """Kind of preprocessing, fitted on the training split."""
    optimizer: NAdam | MuonAdamW = field(default_factory=NAdam)
    """Which optimiser, with its peak learning rates."""
    schedule: Schedule = field(default_factory=Constant)
    """How the learning rate moves over the run."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """What is changed in the training pictures."""
    epochs: float | None = None
    """Passes over the training pictures; a fraction is allowed. None: by :meth:`settled`."""
    usual_epochs: float = 3.0
    """Epochs on 55,000 pictures, from which :meth:`settled` takes those on others."""
    batch_size: int | None = None
    """Pictures a step, at most. None: by :meth:`settled`."""
    label_smoothing: float = 0.0
    """Share of each label spread over all classes."""
    class_weights: ClassWeights = "none"
    """"balanced" lets every class of the training part count the same in the loss, by weights of
    n / (classes x pictures of the class)."""
    sampling: Sampling = "shuffled"
    """"shuffled" shows every picture once an epoch; "balanced" every class equally often, so that
    pictures of rare classes come several times, in epochs of the same length."""
    hardest_share: float | Literal["auto"] = 1.0
    """Share (0..1) of the training pictures that a round after the first is over, at least: those
    with the highest loss when they were last seen, four times as many as the network gets wrong. An
    epoch stays as many pictures as there are in the training part: with 0.5 the second epoch may be
    two rounds. "auto": see :meth:`settled`."""
    precision: Precision = "auto"
    """Of the network's forward and backward pass; "auto" takes bfloat16 where the processor
    multiplies it in hardware. Weights are always float32."""

    def __post_init__(self) -> None:
        """Check every value where it is made."""
        if self.epochs is not None and not (_is_number(self.epochs) and 0 < self.epochs <= 100_000):
            raise ConfigError(f"epochs must be above 0 and at most 100,000; got {self.epochs!r}")
        if not 0 < self.usual_epochs <= 100_000:
            raise ConfigError(
                f"usual_epochs must be above 0 and at most 100,000; got {self.usual_epochs}"
            )
        if self.batch_size is not None and not 1 <= self.batch_size <= 65_536:
            raise ConfigError(f"batch_size must be from 1 to 65,536; got {self.batch_size}")
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(f"label_smoothing must be in [0, 1); got {self.label_smoothing}")
        share = self.hardest_share
        allowed = (
            share == "auto" if isinstance(share, str) else _is_number(share) and 0 < share <= 1
        )
        if not allowed:
            raise ConfigError(
                f'hardest_share must be above 0 and at most 1, or "auto"; got {share!r}'
            )
        if self.balanced and not isinstance(share, str) and share < 1:
            raise ConfigError(
                f"hardest_share is {share}, which would see the classes as often as they are hard, "
                "beside balanced classes; allowed: one of them"
            )
        for name, allowed in (
            ("precision", PRECISIONS),
            ("preprocessing", PREPROCESSING_KINDS),
            ("class_weights", CLASS_WEIGHTS),
            ("sampling", SAMPLINGS),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise ConfigError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
        if self.class_weights == self.sampling == "balanced":
            raise ConfigError(
                "class_weights and sampling are both balanced, which would count rare classes "
                "twice; allowed: one of them"
            )

    @property
    def balanced(self) -> bool:
        """Whether rare classes are made to count as much as others.

        Then the mean of the classes' accuracies on the validation part decides which epoch is the
        best, not the accuracy.
        """
        return "balanced" in (self.class_weights, self.sampling)

    def settled(self, n_train: int, *, size: int | None = None, mirrors: bool = False) -> "Recipe":
        """The same recipe with what it leaves open decided by the training pictures.

        Batches are a twentieth of the pictures, a power of two from 32 to 256. Epochs are
        3 x sqrt(55,000 / n), at least 1: fewer pictures are seen more often, but a small data set
        is still done sooner than a large one. Pictures are flipped if they may be and if there are
        two epochs at least: before that, the network learns more from what it has not seen. From
        25,000 pictures on, rounds are over the hardest half, but where classes are balanced; of
        fewer, every one is needed. Fewer
        than 5,000 are shifted by up to a 32nd of their side, digits of 8 pixels so not at all.
        Measured in ``docs/experiments.md``.

        Args:
            n_train: number of training pictures.
            size: their shorter side in pixels; None shifts none.
            mirrors: whether a mirrored picture is known to be of the same class.

        >>> recipe = Recipe(name="mine", architecture="compact")
        >>> [(r.epochs, r.batch_size) for r in (recipe.settled(1437), recipe.settled(55000))]
        [(19.0, 64), (3.0, 256)]
        """
        epochs = self.epochs or max(1.0, round(self.usual_epochs * math.sqrt(55_000 / n_train)))
        batch_size = self.batch_size or min(256, max(32, 2 ** int(math.log2(max(1, n_train / 20)))))
        flip = self.augmentation.flip
        if flip == "auto":
            flip = mirrors and epochs >= FLIPPED_FROM
        shift = self.augmentation.shift
        if shift == "auto":
            shift = round(size / SHIFT_OF) if size and n_train < SHIFTED_BELOW else 0
        share = self.hardest_share
        if share == "auto":
            share = 0.5 if n_train >= HARDEST_FROM and not self.balanced else 1.0
        return replace(
            self,
            hardest_share=share,
            epochs=float(epochs),
            batch_size=batch_size,
            augmentation=replace(self.augmentation, flip=flip, shift=shift),
        )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


__all__ = ["Augmentation", "Constant", "MuonAdamW", "NAdam", "Recipe", "Triangular"]
