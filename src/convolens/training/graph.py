"""Capturing a training step as a CUDA graph, which the GPU replays without the host.

How: "CUDA Graphs" in PyTorch's notes on CUDA. Everything that a replay reads or writes lies where
it lay at the capture; every number of Python's stays what it was; nothing is read by the host. That
a step of ours is such a function is tested on the CPU, by recording its operations and replaying
the recording (``tests/training/test_graph.py``). The capture itself needs a GPU and has not been
measured on one yet: ``benchmarks/gpu.py``.
"""

from collections.abc import Callable

import torch

Compute = Callable[[], None]
"""Some work whose every input and output is a tensor that stays in its place."""
Capture = Callable[[Compute], Compute]
"""Makes of some work, which it need not do, a cheaper way to do the same again."""

WARM_UP = 3
"""Steps of each batch size that are computed one by one first, as PyTorch's own captures do: in
them cuDNN and cuBLAS choose and load their kernels, and the optimisers make their momenta."""


def cuda_capture() -> Capture:
    """What captures CUDA graphs that share their memory.

    They may: they are replayed one at a time, and what one leaves for another lies outside, in
    weights, momenta and sums. To be called, captured and replayed on a stream of its own
    (:func:`convolens.training.hardware.side_stream`), on which the warm-up ran, too.
    """
    pool = torch.cuda.graph_pool_handle()

    def capture(compute: Compute) -> Compute:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, stream=torch.cuda.current_stream()):
            compute()
        return graph.replay

    return capture


def no_capture(compute: Compute) -> Compute:
    """The work itself: every step is computed operation by operation."""
    return compute
