"""Learning from the pictures that are still hard.

After a first round over all training pictures, most are easy: the network gives their class nearly
all the probability, and their gradients hardly move it. Every further round is then over some of
the pictures alone, those with the highest loss when they were last seen. What a round costs falls
with their number; what the network learns hardly does (``docs/experiments.md``).

A network that still gets much wrong has no easy pictures, and where labels are wrong the hardest
pictures are those. So a round is over four times as many pictures as were wrong, and never over
less than the share that the recipe names: at one wrong in eight it is a half, at one in four all.
In a first round most mistakes are of the start, when the network knew nothing; what counts are
those of its end.

A picture that is left out keeps its loss while those of others fall, so it comes back in time.

Source: A. Jiang et al., "Accelerating Deep Learning by Focusing on the Biggest Losers", 2019
(arXiv:1910.00762), which computes the loss of every picture anew before each batch; here the loss
of its last visit is taken, which costs nothing.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

UNSEEN = torch.finfo(torch.float32).max
"""The loss of a picture never seen, such as one that a balanced order left out: it is hardest."""
OF_WRONG = 4
"""Pictures of a round for one that was wrong."""
RECENT = 0.25
"""Of all pictures: over about as many the running mean of the mistakes goes back."""


class HardestPictures:
    """How the network did on every training picture the last time, and who is in the round.

    Args:
        n: number of training pictures.
        share: of the pictures (0..1, not 0) that a round after the first is over, at least.
        batch_size: a round after the first is over whole batches, if there are pictures enough.
        device: where the losses are computed and kept.
    """

    def __init__(self, n: int, share: float, *, batch_size: int, device: torch.device) -> None:
        self.share = share
        self.batch_size = batch_size
        self.losses = torch.full((n,), UNSEEN, device=device)
        self.right = torch.zeros(n, dtype=torch.bool, device=device)
        self.round = 0
        """From 0."""
        self.began = 0
        """Steps done before the round."""
        self.count = n
        """Pictures of the round."""
        self.at_start = torch.full((n,), UNSEEN)
        """(n,) float32: the losses when the round began."""
        self.wrong_lately = torch.ones((), device=device)
        """Share of the pictures seen lately that were wrong: a running mean, 1 at first."""
        self._newest = min(1.0, batch_size / (RECENT * n))

    def note(self, samples: Tensor, logits: Tensor, targets: Tensor, right: Tensor) -> None:
        """Remember how the network did on some pictures.

        Args:
            samples: (batch,) int64, which training pictures these are; on the device.
            logits: (batch, classes) float32, detached.
            targets: (batch,) int64.
            right: (batch,) bool, whether the class of the highest logit is the target.
        """
        self.losses[samples] = F.cross_entropy(logits, targets, reduction="none")
        self.right[samples] = right
        self.wrong_lately.lerp_((~right).float().mean(), self._newest)

    def means(self) -> tuple[float, float]:
        """Mean loss and accuracy of all pictures that were seen, each as it was the last time."""
        losses, right = self.losses.cpu(), self.right.cpu()
        seen = losses < UNSEEN
        return losses[seen].double().mean().item(), right[seen].double().mean().item()

    def begin_next(self, step: int) -> None:
        """Begin the next round, after ``step`` steps."""
        _, accuracy = self.means()
        self.at_start = self.losses.cpu().clone()
        self.round += 1
        self.began = step
        # What was seen lately is the whole only in the first round, and harder than it later.
        wrong = min(1 - accuracy, self.wrong_lately.item())
        self.count = pictures_of_round(wrong, len(self.losses), self.share, self.batch_size)

    def of_round(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """The pictures of the round, in the order in which they are seen.

        Args:
            order: (n,) int64, all that could be seen in the round; pictures may be in it twice.

        Returns:
            (count,) int64: those of ``order`` whose losses were highest when the round began.
        """
        ranked = np.argsort(-self.at_start.numpy()[order], kind="stable")
        return order[np.sort(ranked[: self.count])]

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        if self.share == 1:
            return {}
        return {
            "round": self.round,
            "began": self.began,
            "count": self.count,
            "at_start": self.at_start,
            "losses": self.losses,
            "right": self.right,
            "wrong_lately": self.wrong_lately,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint, in the midst of a round too."""
        if self.share == 1:
            return
        self.round, self.began, self.count = state["round"], state["began"], state["count"]
        self.at_start = state["at_start"].clone()
        self.losses.copy_(state["losses"])
        self.right.copy_(state["right"])
        self.wrong_lately.copy_(state["wrong_lately"])


def pictures_of_round(wrong: float, n: int, share: float, batch_size: int) -> int:
    """How many of ``n`` pictures a round after the first is over.

    Args:
        wrong: share of all pictures (0..1) that the network got wrong.
        n: number of pictures.
        share: of them that a round is over, at least.
        batch_size: a round is over whole batches, if there are pictures enough.

    >>> [pictures_of_round(wrong, 1000, 0.5, 64) for wrong in (0.0, 0.125, 0.2, 0.25, 0.9)]
    [512, 512, 832, 1000, 1000]
    """
    least = math.ceil(min(1.0, max(share, OF_WRONG * wrong)) * n)
    return min(n, math.ceil(least / batch_size) * batch_size)
