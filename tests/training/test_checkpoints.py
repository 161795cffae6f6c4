"""Checkpoints on disk: what is read is what was written, and no damage goes unseen."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.errors import ConfigError, ModelError
from convolens.training.cadence import SHARE, EverySeconds, EverySteps, choose_cadence
from convolens.training.checkpoints import (
    clear_strays,
    newest_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from convolens.training.durations import parse_duration
from convolens.training.measuring import Diverged
from convolens.training.packing import pack, unpack

TYPES = [torch.float32, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.uint8]


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    """Any shape, type and order of axes; some of one value, some a part of a larger one."""
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    values = torch.randint(0, 256, shape, generator=generator).to(draw(st.sampled_from(TYPES)))
    values = values.permute(draw(st.permutations(range(len(shape)))))
    return values[:, ::2] if draw(st.booleans()) and values.ndim > 1 else values


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | tensors()
states = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.integers() | st.text("abc./", max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(states)
def test_a_state_comes_back_to_the_bit(state: Any) -> None:
    packed, named = pack({"state": state})
    through_json = json.loads(json.dumps(packed, allow_nan=False))
    assert_same(unpack(through_json, named), {"state": state})


def assert_same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
        if torch.empty_like(expected).stride() == expected.stride():  # dense
            assert found.stride() == expected.stride()
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert repr(found) == repr(expected)  # NaN and -0.0 too


def state_of(step: int) -> dict[str, Any]:
    values = torch.arange(24.0).reshape(2, 3, 2, 2) + step
    return {"network": {"w": values.to(memory_format=torch.channels_last)}, "rate": 0.1 * step}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The folder of two checkpoints, of steps 3 and 5."""
    folder = tmp_path / "checkpoints"
    for step in (3, 5):
        write_checkpoint(folder, step, state_of(step), {"events": step})
    return folder


def test_what_is_read_is_what_was_written_and_two_are_kept(saved: Path) -> None:
    size = write_checkpoint(saved, 12345678901, state_of(9), {"events": 9})
    assert sorted(path.name for path in saved.iterdir()) == ["step-00000005", "step-12345678901"]
    newest, passed_over = newest_checkpoint(saved)
    assert newest is not None
    assert passed_over == ()
    assert (newest.step, newest.facts) == (12345678901, {"events": 9})
    assert_same(newest.state, state_of(9))
    assert size == sum(path.stat().st_size for path in newest.path.iterdir())


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def extend(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes() + chance.choice([b"\0", b"\n", b" "]))


def remove(path: Path, chance: random.Random) -> None:
    path.unlink()


def exchange(path: Path, chance: random.Random) -> None:
    """The same file of another checkpoint: whole, but not this one's."""
    shutil.copy(path.parent.parent / "step-00000003" / path.name, path)


def make_folder(path: Path, chance: random.Random) -> None:
    path.unlink()
    path.mkdir()


def other_json(path: Path, chance: random.Random) -> None:
    path.write_text(chance.choice(["[]", "{}", "7", "null", '{"files": []}', "[" * 100_000]))


@pytest.mark.parametrize("file", ["state.json", "state.safetensors", "manifest.json"])
@pytest.mark.parametrize(
    ("damage", "times"),
    [
        (flip, 60),
        (cut, 20),
        (extend, 3),
        (remove, 1),
        (exchange, 1),
        (make_folder, 1),
        (other_json, 12),
    ],
)
def test_damage_is_always_found(
    saved: Path, file: str, damage: Callable[[Path, random.Random], None], times: int
) -> None:
    chance = random.Random(f"{file} {damage.__name__}")
    good = (saved / "step-00000005" / file).read_bytes()
    for _ in range(times):
        path = saved / "step-00000005" / file
        damage(path, chance)
        with pytest.raises(ModelError, match="step-00000005"):
            read_checkpoint(path.parent)
        newest, passed_over = newest_checkpoint(saved)
        assert newest is not None
        assert newest.step == 3
        assert len(passed_over) == 1
        if path.is_dir():
            path.rmdir()
        path.write_bytes(good)
    assert read_checkpoint(saved / "step-00000005").step == 5


def test_every_byte_of_the_manifest_counts(saved: Path) -> None:
    path = saved / "step-00000005" / "manifest.json"
    good = path.read_bytes()
    chance = random.Random(0)
    for place in range(len(good)):
        flipped = good[place] ^ 1 << chance.randrange(8)
        path.write_bytes(good[:place] + bytes([flipped]) + good[place + 1 :])
        with pytest.raises(ModelError):
            read_checkpoint(path.parent)


def test_a_file_too_many_and_another_name_are_found(saved: Path) -> None:
    (saved / "step-00000005" / "more.txt").touch()
    with pytest.raises(ModelError, match=r"holds manifest.json, more.txt, state"):
        read_checkpoint(saved / "step-00000005")
    (saved / "step-00000003").rename(saved / "step-00000004")
    with pytest.raises(ModelError, match=r"every checkpoint in .* is damaged .*; restore one"):
        newest_checkpoint(saved)
    assert len(list(saved.iterdir())) == 2, "what may still be mended is not removed"


def test_a_poisoned_state_is_never_written(saved: Path) -> None:
    for poison in (float("nan"), float("inf")):
        state = {"network": {"w": torch.tensor([1.0, poison])}}
        with pytest.raises(Diverged, match="at step 7 w holds NaN or infinity; lower the learning"):
            write_checkpoint(saved, 7, state, {})
    assert newest_checkpoint(saved)[0].step == 5


def test_what_a_killed_process_left_is_cleared(saved: Path) -> None:
    stray = [".step-00000007.0a1b2c3d", ".step-00000001.0a1b2c3d.old", ".run.0a1b2c3d.json"]
    for name in stray:
        (saved / name).mkdir() if name.startswith(".step") else (saved / name).touch()
    (saved / "mine.txt").touch()
    clear_strays(saved)
    assert sorted(path.name for path in saved.iterdir()) == [
        "mine.txt",
        "step-00000003",
        "step-00000005",
    ]


def test_no_checkpoint_is_no_damage(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "checkpoints") == (None, ())


@given(
    every=st.floats(0.5, 60),
    costs=st.lists(st.floats(0.001, 20), min_size=1, max_size=20),
    step=st.floats(0.01, 10),
)
def test_checkpoints_take_at_most_their_share(
    every: float, costs: list[float], step: float
) -> None:
    now = [0.0]
    cadence = EverySeconds(every, expected=costs[0], clock=lambda: now[0])
    last = 0.0
    for cost, following in zip(costs, [*costs[1:], costs[-1]], strict=True):
        for _ in range(5_000):
            now[0] += step
            if cadence.due(1):
                break
        else:
            return
        assert now[0] - last >= every
        assert cadence.spent + cost <= SHARE * now[0] * (1 + 1e-9)
        now[0] += cost
        last = now[0]
        cadence.saved(cost)
        cadence.expected = following  # a disk that takes what it was thought to take


def test_cadences_are_read_from_what_people_write() -> None:
    steps = EverySteps(3)
    assert choose_cadence(steps) is steps
    assert [step for step in range(1, 10) if steps.due(step)] == [3, 6, 9]
    assert not choose_cadence("off").due(1)
    assert not choose_cadence(0).due(1)
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="allowed: seconds, 0 or more"):
            choose_cadence(wrong)
    with pytest.raises(ConfigError, match="--checkpoint-every is 'often'; allowed: a number with"):
        choose_cadence("often")


@given(st.decimals(0, 10**6, places=3), st.sampled_from("smhSMH"))
def test_a_duration_means_what_it_says(number: Any, unit: str) -> None:
    seconds = {"s": 1, "m": 60, "h": 3600}[unit.lower()]
    assert parse_duration(f"{number}{unit}") == float(number) * seconds


@pytest.mark.parametrize("text", ["", "s", "30 days", "-5s", "1e3s", "nan", "inf", "1m30s", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--budget is .*; allowed: a number with s, m or h"):
        parse_duration(text, "--budget")
