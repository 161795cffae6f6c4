"""The two files of a bundle: what they hold, and whether it can be what it says it is."""

import math
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from convolens.config import from_dict
from convolens.doubt import Thresholds
from convolens.errors import ConfigError, ModelError
from convolens.files import read_json, sha256

FORMAT_VERSION = 1
DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, kw_only=True)
class ArchitectureEntry:
    """Which network it is."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class WeightsEntry:
    """Which file holds its weights."""

    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """What ``model.json`` holds, checked for its types."""

    format_version: int
    architecture: ArchitectureEntry
    input_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    preprocessing: dict[str, Any]
    recipe: dict[str, Any]
    metrics: dict[str, float | None]
    versions: dict[str, str]
    weights: WeightsEntry
    mirrored: bool = False  # models of earlier versions do not say
    temperature: float = 1.0  # likewise
    thresholds: Thresholds | None = None  # likewise


def find_bundle(path: Path) -> Path:
    """The folder of the bundle that is at a path, or in the run that is there.

    Raises:
        ModelError: there is none.
    """
    for folder in (path, path / "model"):
        if (folder / DESCRIPTION).is_file():
            return folder
    if not path.exists():
        raise ModelError(f"{path} does not exist; a model is a bundle or a run folder")
    if (path / "run.json").is_file():
        raise ModelError(f"{path} is a run without a model: no epoch of it was finished")
    raise ModelError(
        f"{path} is neither a model bundle (a folder with {DESCRIPTION}) nor a run folder"
    )


def read_description(folder: Path) -> Description:
    """What the bundle in a folder says of itself.

    Raises:
        ModelError: it cannot be so, or a newer version of Convolens wrote it.
    """
    source = folder / DESCRIPTION
    described = read_json(source, error=ModelError)
    found = described.get("format_version")
    if found != FORMAT_VERSION:
        raise ModelError(
            f"{source} has format version {found!r}; this version of Convolens reads "
            f"{FORMAT_VERSION}. A newer Convolens may have written it: upgrade"
        )
    try:
        bundle = from_dict(Description, described, source=str(source))
    except ConfigError as error:
        message = str(error)
        raise ModelError(message if str(source) in message else f"{source}: {message}") from None
    if bundle.weights.file != WEIGHTS:
        raise ModelError(f"{source}: weights must be in {WEIGHTS}")
    if not 0 < bundle.temperature < math.inf:
        raise ModelError(
            f"{source}: temperature must be a number above 0; got {bundle.temperature}"
        )
    return bundle


def read_weights(folder: Path, bundle: Description) -> dict[str, torch.Tensor]:
    """Everything that a bundle has in arrays, by name.

    Raises:
        ModelError: they are not those that it describes.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"{path} is missing; the bundle is incomplete")
    if sha256(path) != bundle.weights.sha256:
        raise ModelError(
            f"{path} is not the file that {DESCRIPTION} describes (its SHA-256 differs): "
            "it is damaged or was exchanged"
        )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ModelError(f"{path} cannot be read: {error}") from None


def part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, NDArray[Any]]:
    """Those whose names begin with a prefix, without it."""
    return {
        name.removeprefix(prefix): tensor.numpy()
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def refuse_other(path: Path) -> None:
    """Saving replaces a folder, so it must be one of ours."""
    if path.is_dir():
        strange = sorted({entry.name for entry in path.iterdir()} - {DESCRIPTION, WEIGHTS})
        if strange:
            raise ModelError(
                f"{path} is not a model bundle (it holds {strange[0]}); name another folder"
            )
    elif path.exists():
        raise ModelError(f"{path} is a file; a bundle is a folder")


def set_weights(
    network: nn.Module, tensors: dict[str, torch.Tensor], prefix: str, folder: Path
) -> None:
    """Into a network those whose names begin with a prefix, or say that they do not fit."""
    weights = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        # One sentence for each of some hundred layers: the first few say it all.
        reason = shorten(str(error), 300, placeholder=" ...")
        raise ModelError(f"{folder / WEIGHTS} does not fit the architecture: {reason}") from None
