"""AdamW against PyTorch's; and no optimiser of the recipes imports a compiler."""

import subprocess
import sys

import torch
from hypothesis import given
from hypothesis import strategies as st

from convolens.training.updates import AdamW


@given(
    seed=st.integers(0, 2**32),
    lr=st.floats(1e-4, 0.1),
    decay=st.floats(0, 0.5),
    betas=st.tuples(st.floats(0, 0.99), st.floats(0.5, 0.999)),
    steps=st.integers(1, 12),
)
def test_adamw_agrees_with_pytorch_s(
    seed: int, lr: float, decay: float, betas: tuple[float, float], steps: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    mine, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    ours = AdamW([{"params": [mine], "weight_decay": decay}], lr=lr, betas=betas)
    reference = torch.optim.AdamW([theirs], lr=lr, betas=betas, weight_decay=decay)
    for _ in range(steps):
        mine.grad = torch.randn(3, 4, generator=generator, dtype=torch.float64)
        theirs.grad = mine.grad.clone()
        ours.step()
        reference.step()
    torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12)


def test_a_state_goes_on_where_it_was() -> None:
    def taken(interrupted: bool) -> torch.Tensor:
        weight = torch.ones(5, requires_grad=True)
        optimizer = AdamW([weight], lr=0.1)
        for step in range(6):
            if interrupted and step == 3:
                saved = optimizer.state_dict()
                optimizer = AdamW([weight], lr=0.7)
                optimizer.load_state_dict(saved)
            weight.grad = torch.arange(5.0) - step
            optimizer.step()
            optimizer.zero_grad()
            assert weight.grad is None
        return weight.detach()

    assert torch.equal(taken(interrupted=False), taken(interrupted=True))


def test_training_by_the_default_recipe_imports_no_compiler() -> None:
    code = (
        "import sys, tempfile, convolens as cl;"
        "cl.train('digits', epochs=1, path=tempfile.mkdtemp(), progress=False);"
        "print('torch._dynamo' in sys.modules, 'torch._inductor' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert answer.stdout.split() == ["False", "False"]
