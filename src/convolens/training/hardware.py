"""What the machine is and what it can do: device, precision, and what a run records of it."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

RECORDED = ("convolens", "torch", "numpy", "pillow", "scikit-learn", "safetensors")


def choose_device() -> torch.device:
    """The GPU where there is one that PyTorch can use, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_precision(asked: str, device: torch.device) -> str:
    """Turn "auto" into "bfloat16" or "float32", by what the processor is, not by a timing.

    A timing would make the choice, and with it every bit of the result, depend on what else the
    machine was doing. Where the hardware multiplies bfloat16, it is faster
    (``benchmarks/results/training.json``); where it does not, PyTorch emulates it slowly.
    """
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if cpu_multiplies_bfloat16() else "float32"


def cpu_multiplies_bfloat16() -> bool:
    """Whether this CPU has bfloat16 products in hardware (AVX-512 BF16 or AMX)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: nothing is known, and float32 is always right
        return False
    words = set(flags.split())
    return "avx512_bf16" in words or "amx_bf16" in words


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
