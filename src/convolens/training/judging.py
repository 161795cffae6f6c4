"""Judging each epoch on the validation pictures, and keeping the best weights."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.config import from_dict
from convolens.data import Preprocessing, Split
from convolens.evaluation.calibration import temperature_of
from convolens.evaluation.unknown import fit_thresholds
from convolens.prediction import predict_logits, prepared_batches
from convolens.training.events import EpochDone
from convolens.training.imbalance import accuracy_by_class
from convolens.training.measuring import Progress, check_loss


class BestWeights:
    """The best weights so far: highest validation accuracy, then lowest validation loss.

    With ``by_class`` it is the mean of the accuracies of the classes: among epochs of a balanced
    training the plain one would choose that which neglects the rare classes most. With ``mirrored``
    every picture is judged together with its mirror image.
    """

    def __init__(
        self,
        network: nn.Module,
        validation: Split,
        preprocessing: Preprocessing,
        *,
        by_class: bool = False,
        mirrored: bool = False,
    ) -> None:
        self.network = network
        self.validation = validation
        self.preprocessing = preprocessing
        self.by_class = by_class
        self.mirrored = mirrored
        # As many as there are before the passes of the training share them out.
        self.threads = torch.get_num_threads()
        self.score = (-1.0, 0.0)
        self.event: EpochDone | None = None
        self.epochs: list[EpochDone] = []
        self.weights: Mapping[str, Tensor] = {}
        self.took = 0.0
        """Seconds that the last judging took."""

    def judge(self, epoch: int, step: int, progress: Progress) -> EpochDone:
        """Judge the network as it is now, and keep its weights if they are the best.

        Raises:
            Diverged: the loss is no number.
        """
        begin = time.perf_counter()
        logits = self._logits()
        loss, accuracy, score = self._measured(logits)
        self.took = time.perf_counter() - begin
        progress.aside += self.took
        train_loss, train_accuracy = progress.end_epoch()
        check_loss(train_loss + loss, step)
        better = (score, -loss) > self.score
        event = EpochDone(
            epoch=epoch,
            step=step,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            val_loss=loss,
            val_accuracy=accuracy,
            best=better,
            seconds=progress.seconds(),
            **(self._fitted(logits) if better else {}),
        )
        self.epochs.append(event)
        if better:
            self.event, self.score = event, (score, -loss)
            self.weights = {k: v.clone() for k, v in self.network.state_dict().items()}
        return event

    def restore(self) -> EpochDone | None:
        """Give the network its best weights; None, and nothing done, where no epoch was judged."""
        if self.event is not None:
            self.network.load_state_dict(self.weights)
        return self.event

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "score": self.score,
            "event": None if self.event is None else asdict(self.event),
            "epochs": [asdict(event) for event in self.epochs],
            "weights": dict(self.weights),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        device = next(self.network.parameters()).device
        self.score = state["score"]
        self.event = None if state["event"] is None else _event(state["event"])
        self.epochs = [_event(event) for event in state["epochs"]]
        self.weights = {name: tensor.to(device) for name, tensor in state["weights"].items()}

    def _logits(self) -> NDArray[np.float32]:
        batches = prepared_batches(self.preprocessing, self.validation.images)
        return predict_logits(self.network, batches, mirrored=self.mirrored, threads=self.threads)

    def _measured(self, logits: NDArray[np.float32]) -> tuple[float, float, float]:
        """Loss, accuracy, and what the weights are judged by."""
        scores, labels = torch.from_numpy(logits), torch.from_numpy(self.validation.labels)
        loss = F.cross_entropy(scores, labels).item()
        correct = scores.argmax(1) == labels
        accuracy = correct.double().mean().item()
        return loss, accuracy, accuracy_by_class(correct, labels) if self.by_class else accuracy

    def _fitted(self, logits: NDArray[np.float32]) -> dict[str, Any]:
        """What the best model so far needs to know how sure it is."""
        if not np.isfinite(logits).all():  # of a class that is never right: the loss is a number
            return {}
        labels = self.validation.labels
        temperature = temperature_of(logits, labels)
        thresholds = fit_thresholds(logits, labels, temperature)
        return {"temperature": temperature, "thresholds": thresholds}


def _event(values: Mapping[str, Any]) -> EpochDone:
    """An epoch as a checkpoint has it, the thresholds in it again what they were."""
    return from_dict(EpochDone, values, source="the checkpoint")
