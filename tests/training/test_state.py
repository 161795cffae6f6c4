"""A state goes into a run of the same kind, and into no other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convolens.data import Split, fit_preprocessing
from convolens.errors import ModelError
from convolens.training import MuonAdamW, NAdam
from convolens.training.judging import BestWeights
from convolens.training.measuring import Progress
from convolens.training.state import TrainingState
from convolens.zoo import build_network


def make_state(width: int = 8, optimizer: MuonAdamW | NAdam | None = None) -> TrainingState:
    images = np.zeros((4, 8, 8, 1), np.uint8)
    network = build_network("compact", (8, 8, 1), 3, width=width)
    best = BestWeights(
        network, Split(images, np.zeros(4, np.int64)), fit_preprocessing("scale", images)
    )
    return TrainingState(
        network=network,
        optimizers=(optimizer or MuonAdamW()).build(network),
        best=best,
        progress=Progress(10, lambda _: None),
        steps=10,
    )


def test_a_state_is_taken_over_whole() -> None:
    first, second = make_state(), make_state()
    with torch.no_grad():
        for parameter in first.network.parameters():
            parameter.add_(1)
    first.step = 7
    second.load_state_dict(first.state_dict())
    assert second.step == 7
    for mine, theirs in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: make_state(width=16), "does not fit the network: .*size mismatch"),
        (lambda: make_state(optimizer=NAdam()), "this version of Convolens needs"),
    ],
)
def test_another_run_s_state_is_refused(other: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make_state().load_state_dict(other().state_dict())


def test_a_state_without_one_of_its_parts_is_refused() -> None:
    state = make_state().state_dict()
    del state["progress"]
    with pytest.raises(ModelError, match=r"holds best, network.*resume with the version"):
        make_state().load_state_dict(state)


def test_float32_masters_of_a_bfloat16_network_keep_their_bits(tmp_path: Path) -> None:
    weight = torch.ones(3, dtype=torch.bfloat16, requires_grad=True)
    masters = torch.tensor([1.00001, 2.00001, 3.00001])

    class Masters(torch.optim.SGD):
        pass

    def state() -> TrainingState:
        made = make_state()
        made.optimizers = [Masters([weight], lr=0.1)]
        return made

    first, second = state(), state()
    first.optimizers[0].state[weight]["master"] = masters
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.optimizers[0].state[weight]["master"], masters)
