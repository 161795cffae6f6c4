"""Checkpoints on disk: written so that none is ever half there, read so that damage is found.

A checkpoint is a folder ``step-00001234`` of three files: ``state.json`` and ``state.safetensors``
hold the state, ``manifest.json`` the length and the SHA-256 of both. It is made beside its place:
each file is flushed to the disk, the manifest last, then the folder is renamed and its parent
flushed. Only then is an older one removed; the two newest are kept.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from convolens.errors import ModelError
from convolens.files import replacing
from convolens.training.measuring import Diverged
from convolens.training.packing import not_finite, pack, unpack

CHECKPOINTS = "checkpoints"
FORMAT_VERSION = 1
KEPT = 2
MANIFEST = "manifest.json"
VALUES = "state.json"
TENSORS = "state.safetensors"
_NAME = re.compile(r"step-(\d{8,})")
# What a killed process leaves: the names that files.replacing, and removing below, give.
_STRAY = re.compile(r"\..+\.[0-9a-f]{8}(\.\w+)?")


@dataclass(frozen=True, eq=False, kw_only=True)
class Checkpoint:
    """A checkpoint that was found whole."""

    path: Path
    """Its folder."""
    step: int
    """Steps that were done."""
    state: Mapping[str, Any]
    """What ``TrainingState.state_dict`` gave, its tensors on the CPU."""
    facts: Mapping[str, Any]
    """What was written with it: plain JSON."""


def write_checkpoint(
    folder: Path, step: int, state: Mapping[str, Any], facts: Mapping[str, Any]
) -> int:
    """Write a checkpoint, and remove all but the two newest.

    Args:
        folder: that of all checkpoints of the run; made when missing.
        step: steps that are done.
        state: as for :func:`convolens.training.packing.pack`.
        facts: further plain JSON.

    Returns:
        The bytes of its files.

    Raises:
        Diverged: the state holds NaN or infinity; nothing is written.
        OSError: it cannot be written; the older ones are whole.
    """
    packed, tensors = pack(state)
    if (poisoned := not_finite(tensors)) is not None:
        raise Diverged(step, f"{poisoned.removeprefix('network/')} holds NaN or infinity")
    files = {
        VALUES: json.dumps({"state": packed, "facts": dict(facts)}, allow_nan=False).encode(),
        TENSORS: save(tensors),
    }
    described = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    files[MANIFEST] = _encoded({"format": FORMAT_VERSION, "step": step, "files": described})
    _make_folder(folder)
    path = folder / f"step-{step:08}"
    with replacing(path) as temporary:
        temporary.mkdir()
        for name, content in files.items():  # the manifest comes last
            _write(temporary / name, content)
    for older in _checkpoints(folder)[KEPT:]:
        remove_checkpoint(older)
    return sum(len(content) for content in files.values())


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint, every byte of which must be what was written.

    Raises:
        ModelError: it is damaged, or a newer version of Convolens wrote it.
    """
    try:
        return _read(path)
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"{path} does not hold a state: {reason}") from None


def newest_checkpoint(folder: Path) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """The newest checkpoint that is whole, and why each newer one is not.

    Args:
        folder: that of all checkpoints of the run; it need not exist.

    Returns:
        None if none was ever written; and one line for each that was passed over.

    Raises:
        ModelError: there are some, and not one is whole.
    """
    damaged: list[str] = []
    for path in _checkpoints(folder):
        try:
            return read_checkpoint(path), tuple(damaged)
        except ModelError as error:
            damaged.append(str(error))
    if damaged:
        raise ModelError(
            f"every checkpoint in {folder} is damaged ({'; '.join(damaged)}); restore one from a "
            "copy, or remove that folder to start again from the first step"
        )
    return None, ()


def remove_newer(folder: Path, step: int) -> None:
    """Remove checkpoints of later steps: damaged ones that would be in the way."""
    for path in _checkpoints(folder):
        if _step(path) > step:
            remove_checkpoint(path)


def remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint; whatever happens meanwhile, it is there whole or not at all."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
    path.rename(aside)
    shutil.rmtree(aside)


def is_stray(path: Path) -> bool:
    """Whether a process that was killed while it wrote left this behind."""
    return _STRAY.fullmatch(path.name) is not None


def clear_strays(folder: Path) -> None:
    """Remove what killed processes left behind in a folder; nothing if there is no such folder."""
    for path in [*folder.iterdir()] if folder.is_dir() else []:
        if is_stray(path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _read(path: Path) -> Checkpoint:
    text = (path / MANIFEST).read_bytes()
    manifest = json.loads(text)
    # Written anew it must give the same bytes, so that no blank of it can change unseen.
    if not isinstance(manifest, dict) or _encoded(manifest) != text:
        raise ModelError(f"{path / MANIFEST} is damaged")
    if manifest.get("format") != FORMAT_VERSION:
        raise ModelError(
            f"{path} has format {manifest.get('format')!r}; this version of Convolens reads "
            f"{FORMAT_VERSION}"
        )
    described = manifest["files"]
    found = {entry.name for entry in path.iterdir()}
    if manifest.keys() != {"format", "step", "files"} or manifest["step"] != _step(path):
        raise ModelError(f"{path / MANIFEST} is not that of {path.name}")
    if described.keys() != {VALUES, TENSORS} or found != {VALUES, TENSORS, MANIFEST}:
        raise ModelError(
            f"{path} holds {', '.join(sorted(found))}; it should hold {MANIFEST}, {VALUES} and "
            f"{TENSORS}"
        )
    contents = {name: (path / name).read_bytes() for name in described}
    for name, content in contents.items():
        expected = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        if described[name] != expected:
            raise ModelError(f"{path / name} is damaged: its length or its SHA-256 differs")
    values = json.loads(contents[VALUES])
    return Checkpoint(
        path=path,
        step=manifest["step"],
        state=unpack(values["state"], load(contents[TENSORS])),
        facts=values["facts"],
    )


def _encoded(value: Any) -> bytes:
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()


def _checkpoints(folder: Path) -> list[Path]:
    """All that there are by their names, the newest first."""
    found = [*folder.iterdir()] if folder.is_dir() else []
    return sorted((path for path in found if _NAME.fullmatch(path.name)), key=_step, reverse=True)


def _step(path: Path) -> int:
    name = _NAME.fullmatch(path.name)
    return int(name[1]) if name else -1


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _make_folder(folder: Path) -> None:
    """Make the folder of the checkpoints, so that it outlives a loss of power."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True)
    if os.name == "posix":  # other systems cannot open a folder
        descriptor = os.open(folder.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
