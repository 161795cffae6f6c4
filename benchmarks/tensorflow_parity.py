"""Our operations against TensorFlow's over a thousand random settings, value by value.

    python benchmarks/tensorflow_parity.py [--settings 1000] [--seed 0]

Settings are drawn from a seed, computed here by Convolens and in its own environment by TensorFlow
(``tensorflow_parity_peer.py``), and compared. An error is the largest difference over the largest
value of TensorFlow's result. Settings that TensorFlow's CPU kernels refuse are listed and replaced:
the asked number is compared whatever happens. Exit status 1 if any comparison fails.
"""

import argparse
import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import convolens.ops as ops
from environment import tensorflow_python, tensorflow_variables, tensorflow_versions
from machine import write_result

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
KINDS = ("conv2d", "depthwise_conv2d", "max_pool2d", "avg_pool2d", "depthwise_max_pool")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--settings", type=int, default=1000, help="how many to compare")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    # Twice as many, for those that TensorFlow refuses; what is left over is not computed.
    generator = np.random.default_rng(arguments.seed)
    settings = [draw_setting(generator) for _ in range(2 * arguments.settings)]
    theirs, refused = computed_by_tensorflow(settings, arguments.settings)
    rows = [
        {**settings[index], "error": error(compute(settings[index]), theirs[index])}
        for index in sorted(theirs)
    ]
    result = summary(rows, [(settings[index], reason) for index, reason in refused.items()])
    result = {"seed": arguments.seed, "tensorflow": tensorflow_versions(), **result}
    show(result)
    write_result("tensorflow_parity", result)
    return 0 if result["compared"] == arguments.settings and not result["failed"] else 1


def draw_setting(generator: np.random.Generator) -> dict[str, Any]:
    """One random setting as plain JSON types; its arrays follow from its own seed."""

    def whole(low: int, high: int) -> int:
        return int(generator.integers(low, high, endpoint=True))

    def pair(low: int, high: int) -> list[int]:
        return (
            [whole(low, high)] * 2
            if generator.random() < 0.7
            else [whole(low, high), whole(low, high)]
        )

    kind = KINDS[whole(0, len(KINDS) - 1)]
    setting: dict[str, Any] = {
        "kind": kind,
        "dtype": ("float32", "float64")[whole(0, 1)],
        "seed": whole(0, 2**31),
        "images": [whole(1, 3), whole(16, 40), whole(16, 40)],
    }
    if kind == "depthwise_max_pool":
        size = whole(1, 5)
        setting["images"].append(size * whole(1, 4))
        return {**setting, "pool_size": size}

    window = pair(1, 5)
    padding = ["same", "valid", "explicit"][whole(0, 1 if kind == "avg_pool2d" else 2)]
    if padding == "explicit":
        padding = [[whole(0, size - 1), whole(0, size - 1)] for size in window]
    setting |= {"padding": padding, "strides": pair(1, 3)}
    if kind.endswith("pool2d"):
        setting["images"].append(whole(1, 6))
        return {**setting, "pool_size": window}

    # Few settings have a stride with a dilation, which TensorFlow's documentation rules out.
    dilations = pair(1, 3) if max(setting["strides"]) == 1 or generator.random() < 0.1 else [1, 1]
    groups = whole(1, 3) if kind == "conv2d" and generator.random() < 0.4 else 1
    share, filters = whole(1, 4), whole(1, 5)
    setting["images"].append(groups * share)
    shape = [share, groups * filters] if kind == "conv2d" else [share, whole(1, 3)]
    return {**setting, "dilations": dilations, "groups": groups, "filters": [*window, *shape]}


def arrays(setting: dict[str, Any]) -> dict[str, Any]:
    """The pictures and filters of a setting."""
    generator = np.random.default_rng(setting["seed"])
    names = [name for name in ("images", "filters") if name in setting]
    return {name: generator.normal(size=setting[name]).astype(setting["dtype"]) for name in names}


def compute(setting: dict[str, Any]) -> Any:
    """The setting's result by Convolens."""
    given = arrays(setting)
    padding = setting.get("padding")
    if isinstance(padding, list):
        padding = tuple(tuple(side) for side in padding)
    match setting["kind"]:
        case "conv2d":
            return ops.conv2d(
                **given,
                strides=tuple(setting["strides"]),
                padding=padding,
                dilations=tuple(setting["dilations"]),
                groups=setting["groups"],
            )
        case "depthwise_conv2d":
            return ops.depthwise_conv2d(
                **given,
                strides=tuple(setting["strides"]),
                padding=padding,
                dilations=tuple(setting["dilations"]),
            )
        case "depthwise_max_pool":
            return ops.depthwise_max_pool(given["images"], setting["pool_size"])
        case kind:
            pool = {"max_pool2d": ops.max_pool2d, "avg_pool2d": ops.avg_pool2d}[kind]
            size, strides = tuple(setting["pool_size"]), tuple(setting["strides"])
            return pool(given["images"], size, strides, padding)


def computed_by_tensorflow(
    settings: list[dict[str, Any]], wanted: int
) -> tuple[dict[int, Any], dict[int, str]]:
    """Results and refusals by the setting's index, until ``wanted`` results are there."""
    peer = Path(__file__).with_name("tensorflow_parity_peer.py")
    with tempfile.TemporaryDirectory() as folder:
        given = {
            f"{index}-{name}": values
            for index, setting in enumerate(settings)
            for name, values in arrays(setting).items()
        }
        np.savez(Path(folder) / "given.npz", **given)
        (Path(folder) / "settings.json").write_text(json.dumps(settings))
        subprocess.run(
            [tensorflow_python(), peer, folder, str(wanted)], env=tensorflow_variables(), check=True
        )
        refused = json.loads((Path(folder) / "refused.json").read_text())
        with np.load(Path(folder) / "results.npz") as results:
            found = {int(index): results[index] for index in results.files}
    return found, {int(index): reason for index, reason in refused.items()}


def error(ours: Any, theirs: Any) -> float:
    """Largest difference over the largest value of theirs; infinite if shape or dtype differ."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return float("inf")
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def summary(
    rows: list[dict[str, Any]], refused: list[tuple[dict[str, Any], str]]
) -> dict[str, Any]:
    """Counts and largest errors by kind and dtype, failures in full, refusals by reason."""
    failed = [row for row in rows if not row["error"] <= TOLERANCE[row["dtype"]]]
    by_kind = []
    for kind in KINDS:
        for dtype, tolerance in TOLERANCE.items():
            errors = [row["error"] for row in rows if (row["kind"], row["dtype"]) == (kind, dtype)]
            by_kind.append(
                {
                    "kind": kind,
                    "dtype": dtype,
                    "compared": len(errors),
                    "largest_error": max(errors, default=None),
                    "tolerance": tolerance,
                }
            )
    reasons = Counter((setting["kind"], reason) for setting, reason in refused)
    return {
        "compared": len(rows),
        "failed": failed,
        "by_kind": by_kind,
        "refused_by_tensorflow": [
            {"kind": kind, "reason": reason, "settings": count}
            for (kind, reason), count in reasons.most_common()
        ],
    }


def show(result: dict[str, Any]) -> None:
    print(f"{'operation':<20}{'dtype':<10}{'compared':>8}{'largest error':>15}{'allowed':>10}")
    for row in result["by_kind"]:
        print(
            f"{row['kind']:<20}{row['dtype']:<10}{row['compared']:>8}"
            f"{row['largest_error'] or 0:>15.1e}{row['tolerance']:>10.0e}"
        )
    for row in result["refused_by_tensorflow"]:
        print(f"TensorFlow refused {row['settings']} settings of {row['kind']}: {row['reason']}")
    print(f"{result['compared']} compared, {len(result['failed'])} failed")


if __name__ == "__main__":
    raise SystemExit(main())
