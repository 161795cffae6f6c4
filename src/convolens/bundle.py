"""A trained model on disk, and in use. Training writes it; everything else reads it.

A bundle is a folder of two files: ``model.json``, which a person can read, and
``weights.safetensors``, which holds the weights and the statistics of the preprocessing. The first
holds the SHA-256 of the second, and opening checks it. Nothing is ever unpickled.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from safetensors.torch import save_file
from torch import nn

from convolens import __version__
from convolens.bundle_files import (
    DESCRIPTION,
    FORMAT_VERSION,
    WEIGHTS,
    find_bundle,
    part,
    read_description,
    read_weights,
    refuse_other,
    set_weights,
)
from convolens.data import Images, Preprocessing, StoredImages
from convolens.doubt import (
    CHUNK,
    NEIGHBOURS,
    Thresholds,
    UnsureBelow,
    check_neighbours,
    familiarity,
    least_risk,
    pick_threshold,
)
from convolens.errors import ConvolensError, ModelError
from convolens.files import replacing, sha256, write_json
from convolens.images import ImageSource
from convolens.prediction import (
    BATCH_SIZE,
    Outputs,
    outputs_in_parts,
    predict_logits,
    predict_outputs,
    prepared_batches,
    to_probabilities,
)
from convolens.zoo import build_network, summarise

if TYPE_CHECKING:
    from convolens.zoo import ModelSummary

_NETWORK = "network."
_PREPROCESSING = "preprocessing."
_NEIGHBOURS = "neighbours."

Pictures = Images | Sequence[ImageSource]
"""What a model predicts: an array (n, height, width, channels), in memory or on disk, or a list of
any pictures."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """A trained network with all that is needed to use it on any picture."""

    network: nn.Module
    """From (n, channels, height, width) to logits (n, classes); in evaluation mode."""
    architecture: str
    """A key of ``zoo.ARCHITECTURES``."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the architecture."""
    preprocessing: Preprocessing
    """From a picture's pixels to the network's input."""
    classes: tuple[str, ...]
    """Name of each class, in the order of the logits."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """The settings that it was trained with."""
    metrics: dict[str, float | None] = field(default_factory=dict)
    """What it reached, by name."""
    mirrored: bool = False
    """Whether each picture is judged together with its mirror image, by the mean of both logits.
    A network that was trained on both is the better for it, at twice the time."""
    temperature: float = 1.0
    """What logits are divided by before the softmax: fitted on validation pictures, so that of what
    has a probability of 0.9 nine in ten are right. It changes no prediction."""
    thresholds: Thresholds | None = None
    """For saying "unsure" and "unknown", fitted on validation pictures likewise; None where they
    are not known."""
    neighbours: NDArray[np.float32] | None = None
    """(m, features) what the last layer saw of some validation pictures, where the threshold of the
    unknown is on the distance to them."""

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the pictures that the network sees."""
        return self.preprocessing.shape

    def predict(self, pictures: Pictures) -> NDArray[np.str_]:
        """The name of the likeliest class of each picture.

        Args:
            pictures: as for :meth:`predict_proba`.

        Returns:
            (n,) strings, entries of ``classes``.
        """
        return np.array(self.classes)[self.predict_proba(pictures).argmax(axis=1)]

    def predict_proba(self, pictures: Pictures, *, calibrated: bool = True) -> NDArray[np.float32]:
        """Probability of every class for each picture.

        Args:
            pictures: a (n, height, width, channels) uint8 array, or a sequence of files, arrays
                and Pillow images of any size and mode. Each goes through the model's own
                preprocessing.
            calibrated: whether logits are divided by the temperature; else the softmax is of the
                network's own.

        Returns:
            (n, classes) float32, each row summing to 1.

        Raises:
            ImageError: a picture cannot be read.
        """
        logits = self.logits(pictures)
        return to_probabilities(logits, self.temperature if calibrated else 1.0)

    def logits(self, pictures: Pictures) -> NDArray[np.float32]:
        """What the network says of each picture, before any softmax.

        Args:
            pictures: as for :meth:`predict_proba`.

        Returns:
            (n, classes) float32; of a mirrored model the mean over both images.

        Raises:
            ImageError: a picture cannot be read.
        """
        batches = self._prepared(pictures)
        return predict_logits(self.network, batches, mirrored=self.mirrored)

    def outputs(self, pictures: Pictures) -> Outputs:
        """Logits together with what the last layer made them of, in one pass.

        Args:
            pictures: as for :meth:`predict_proba`.

        Returns:
            ``logits`` (n, classes) and ``features`` (n, features), float32.

        Raises:
            ImageError: a picture cannot be read.
        """
        batches = self._prepared(pictures)
        return predict_outputs(self.network, batches, mirrored=self.mirrored)

    def unsure_below(self, risk: float, *, confidence: float = 0.95) -> UnsureBelow:
        """How sure the model must be to answer at a risk, and how often it then answers.

        Args:
            risk: of what is answered, the share that may be wrong, in (0, 1).
            confidence: that this holds on pictures like those of the validation split, in (0, 1).

        Returns:
            The threshold on the calibrated probability of the likeliest class, above 1 where
            nothing can be answered.

        Raises:
            ConfigError: a number outside its range.
            ModelError: the model has no thresholds.
        """
        return pick_threshold(self._thresholds().risks, risk, confidence=confidence)

    def least_risk(self, *, confidence: float = 0.95) -> float:
        """The least risk at which there is something that the model can answer.

        Raises:
            ConfigError: a confidence outside its range.
            ModelError: the model has no thresholds.
        """
        return least_risk(self._thresholds().risks, confidence=confidence)

    def unsure(
        self, probabilities: NDArray[np.floating[Any]], risk: float, *, confidence: float = 0.95
    ) -> NDArray[np.bool_]:
        """For which pictures to say "unsure", so that few of the other answers are wrong.

        Args:
            probabilities: (n, classes), from :meth:`predict_proba`.
            risk: as for :meth:`unsure_below`.
            confidence: likewise.

        Returns:
            (n,) bool.

        Raises:
            ConfigError: a number outside its range.
            ModelError: the model has no thresholds.
        """
        found = self.unsure_below(risk, confidence=confidence)
        return probabilities.max(axis=1) < found.threshold

    def familiarity(self, outputs: Outputs) -> NDArray[np.float64]:
        """How familiar pictures are, by the score that the model's threshold is on.

        Args:
            outputs: from :meth:`outputs`.

        Returns:
            (n,), higher for what is more like the pictures that the model was trained on.

        Raises:
            ModelError: the model has no thresholds.
        """
        score = self._thresholds().unknown.score
        return familiarity(score, outputs.logits, outputs.features, self.neighbours)

    def logits_and_familiarity(
        self, pictures: Pictures
    ) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
        """Logits, and how familiar pictures are, in bounded memory: features are not kept.

        Args:
            pictures: as for :meth:`predict_proba`.

        Returns:
            To the bit what :meth:`logits` and, of all :meth:`outputs`, :meth:`familiarity` give;
            None for the latter if the model has no thresholds.

        Raises:
            ImageError: a picture cannot be read.
        """
        if self.thresholds is None or self.thresholds.unknown.score != NEIGHBOURS:
            logits = self.logits(pictures)
            outputs = Outputs(logits=logits, features=None)
            return logits, None if self.thresholds is None else self.familiarity(outputs)
        parts = outputs_in_parts(
            self.network, self._prepared(pictures), mirrored=self.mirrored, at_least=CHUNK
        )
        with closing(parts):
            scored = [(part.logits, self.familiarity(part)) for part in parts]
        logits, scores = (np.concatenate(each) for each in zip(*scored, strict=True))
        return logits, scores

    def unknown(self, outputs: Outputs) -> NDArray[np.bool_]:
        """Which pictures are unlike what the model was trained on, whatever class it names.

        Of pictures that are like it, about one in twenty is flagged, too.

        Args:
            outputs: from :meth:`outputs`.

        Returns:
            (n,) bool.

        Raises:
            ModelError: the model has no thresholds.
        """
        return self.familiarity(outputs) < self._thresholds().unknown.threshold

    def summary(self) -> "ModelSummary":
        """Every layer with its output shape, parameters, multiply-adds and receptive field."""
        return summarise(self.network, self.input_shape)

    def save(self, path: str | Path) -> None:
        """Write the bundle; an older one at ``path`` is replaced by a whole new one.

        Raises:
            ModelError: ``path`` is something else than a bundle: it is left alone.
        """
        refuse_other(Path(path))
        description = {
            "format_version": FORMAT_VERSION,
            "architecture": {"name": self.architecture, "arguments": self.arguments},
            "input_shape": list(self.input_shape),
            "classes": list(self.classes),
            "preprocessing": self.preprocessing.to_dict(),
            "recipe": self.recipe,
            "metrics": self.metrics,
            "mirrored": self.mirrored,
            "temperature": self.temperature,
            "thresholds": None if self.thresholds is None else self.thresholds.to_dict(),
            "versions": {"convolens": __version__, "torch": torch.__version__},
        }
        with replacing(path) as folder:
            folder.mkdir()
            save_file(self._tensors(), folder / WEIGHTS)
            description["weights"] = {"file": WEIGHTS, "sha256": sha256(folder / WEIGHTS)}
            write_json(folder / DESCRIPTION, description)

    def _thresholds(self) -> Thresholds:
        if self.thresholds is None:
            raise ModelError(
                "this model has no thresholds to say unsure or unknown by: an earlier version of "
                "Convolens trained it, or it was made by hand. Train it again"
            )
        return self.thresholds

    def _prepared(self, pictures: Pictures) -> Iterator[NDArray[np.float32]]:
        """Batches of the network's input, made one at a time so that memory stays bounded."""
        if isinstance(pictures, str | Path | bytes | Image):
            raise ModelError(
                f"pictures must be a list; got one {type(pictures).__name__}: put it in brackets"
            )
        if not isinstance(pictures, np.ndarray | StoredImages):
            pictures = list(pictures)
        if len(pictures) == 0:
            raise ModelError("there is nothing to predict: no picture was given")
        if isinstance(pictures, np.ndarray | StoredImages):
            if pictures.dtype == np.uint8 and pictures.shape[1:] == self.input_shape:
                return prepared_batches(self.preprocessing, pictures)
            if pictures.ndim != 4:
                raise ModelError(
                    "pictures must be an array of shape (n, height, width, channels) or a list of "
                    f"pictures; got an array of shape {pictures.shape}. For one picture: [picture]"
                )
        return (
            self.preprocessing.prepare(pictures[start : start + BATCH_SIZE])
            for start in range(0, len(pictures), BATCH_SIZE)
        )

    def _tensors(self) -> dict[str, torch.Tensor]:
        weights = {
            _NETWORK + name: tensor.detach().cpu().contiguous().clone()
            for name, tensor in self.network.state_dict().items()
        }
        statistics = {
            _PREPROCESSING + name: torch.from_numpy(np.ascontiguousarray(array))
            for name, array in self.preprocessing.tensors().items()
        }
        if self.neighbours is None:
            return weights | statistics
        features = torch.from_numpy(np.ascontiguousarray(self.neighbours))
        return weights | statistics | {_NEIGHBOURS + "features": features}


def load_model(path: str | Path) -> Model:
    """Open a model.

    Args:
        path: a bundle, or a run, whose best model is opened.

    Returns:
        The model, on the CPU, in evaluation mode.

    Raises:
        ModelError: there is none, it is damaged, or a newer version of Convolens wrote it.
    """
    folder = find_bundle(Path(path))
    bundle = read_description(folder)
    try:
        tensors = read_weights(folder, bundle)
        preprocessing = Preprocessing.from_parts(
            bundle.preprocessing, part(tensors, _PREPROCESSING)
        )
        network = build_network(
            bundle.architecture.name,
            preprocessing.shape,
            len(bundle.classes),
            **bundle.architecture.arguments,
        )
        if bundle.input_shape != preprocessing.shape:
            raise ModelError(
                f"{folder / DESCRIPTION}: input_shape {bundle.input_shape} and the preprocessing's "
                f"{preprocessing.shape} differ"
            )
        set_weights(network, tensors, _NETWORK, folder)
        neighbours = part(tensors, _NEIGHBOURS).get("features")
        check_neighbours(bundle.thresholds, neighbours)
    except ModelError:
        raise
    except ConvolensError as error:
        raise ModelError(f"{folder / DESCRIPTION}: {error}") from None
    return Model(
        network=network.eval(),
        architecture=bundle.architecture.name,
        arguments=bundle.architecture.arguments,
        preprocessing=preprocessing,
        classes=bundle.classes,
        recipe=bundle.recipe,
        metrics=bundle.metrics,
        mirrored=bundle.mirrored,
        temperature=bundle.temperature,
        thresholds=bundle.thresholds,
        neighbours=neighbours,
    )
