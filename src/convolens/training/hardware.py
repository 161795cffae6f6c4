"""What the machine is and what it can do: device, precision, and what a run records of it."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

RECORDED = ("convolens", "torch", "numpy", "pillow", "scikit-learn", "safetensors")


def choose_device() -> torch.device:
    """The CUDA GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_precision(asked: str, device: torch.device) -> str:
    """Turn "auto" into "bfloat16" or "float32", by what the processor is, not by a timing.

    A timing would make the choice, and with it every bit of the result, depend on what else the
    machine was doing. Where the hardware multiplies bfloat16, it is faster
    (``benchmarks/results/training.json``); where it does not, PyTorch emulates it slowly.
    """
    if asked != "auto":
        return asked
    return "bfloat16" if multiplies_bfloat16(device) else "float32"


@cache
def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device has bfloat16 products in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool({"avx512_bf16", "amx_bf16"} & _processor_flags())


def free_memory(device: torch.device) -> int:
    """Bytes of a CUDA device that nobody uses; 0 of any other, whose memory is not for pictures."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device; one of the CPU is sent to a GPU without waiting for it.

    From pages that the system may move, CUDA copies only after everything before is done. From
    pinned ones it copies when the turn comes; PyTorch keeps them until then, so what is pinned
    here may be forgotten at once.

    Source: "Use pinned memory buffers" in PyTorch's notes on CUDA.
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


@contextmanager
def side_stream(device: torch.device) -> Iterator[None]:
    """What the block does on a GPU is done on a stream of its own, after all that came before.

    A CUDA graph cannot be captured on the default stream, nor after a backward pass that ran there.
    On other devices nothing changes.
    """
    if device.type != "cuda":
        yield
        return
    before, aside = torch.cuda.current_stream(device), _second_stream(device)
    aside.wait_stream(before)
    try:
        with torch.cuda.stream(aside):
            yield
    finally:
        before.wait_stream(aside)


@cache
def _second_stream(device: torch.device) -> torch.cuda.Stream:
    """One for all runs: the libraries keep memory for every stream that they ever saw."""
    return torch.cuda.Stream(device)


@cache
def _processor_flags() -> frozenset[str]:
    """What the CPU can do, as Linux lists it; elsewhere nothing is known, and none is assumed."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    flags = [line.partition(":")[2] for line in text.splitlines() if line.startswith("flags")]
    return frozenset(flags[0].split()) if flags else frozenset()


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Processor, cores, threads, device and library versions, for the record of a run."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in RECORDED},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
