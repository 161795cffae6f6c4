"""TensorFlow's half of ``tensorflow_parity.py``; runs in TensorFlow's own environment.

    python tensorflow_parity_peer.py FOLDER WANTED

Reads settings.json and given.npz in FOLDER and writes results.npz and refused.json there.
"""

import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf


def main(folder: Path, wanted: int) -> None:
    settings = json.loads((folder / "settings.json").read_text())
    results: dict[str, Any] = {}
    refused: dict[str, str] = {}
    # depthwise_conv2d only warns that it takes no stride with a dilation, and computes something.
    warnings.simplefilter("error", UserWarning)
    with np.load(folder / "given.npz") as given:
        for index, setting in enumerate(settings):
            if len(results) == wanted:
                break
            # Without tf.constant, max_pool would read NumPy's float64 as float32.
            images = tf.constant(given[f"{index}-images"])
            filters = given.get(f"{index}-filters")
            try:
                results[str(index)] = compute(setting, images, filters).numpy()
            except (tf.errors.OpError, ValueError, UserWarning) as error:
                refused[str(index)] = reason(error)
    np.savez(folder / "results.npz", **results)
    (folder / "refused.json").write_text(json.dumps(refused))


def compute(setting: dict[str, Any], images: Any, filters: Any) -> Any:
    if setting["kind"] == "depthwise_max_pool":
        size = (1, 1, 1, setting["pool_size"])
        return tf.nn.max_pool(images, ksize=size, strides=size, padding="VALID")
    padding = setting["padding"]
    padding = padding.upper() if isinstance(padding, str) else [[0, 0], *padding, [0, 0]]
    strides = setting["strides"]
    match setting["kind"]:
        case "conv2d":
            return tf.nn.conv2d(images, filters, strides, padding, dilations=setting["dilations"])
        case "depthwise_conv2d":
            return tf.nn.depthwise_conv2d(
                images, filters, [1, *strides, 1], padding, dilations=setting["dilations"]
            )
        case "max_pool2d":
            return tf.nn.max_pool2d(images, setting["pool_size"], strides, padding)
        case "avg_pool2d":
            return tf.nn.avg_pool2d(images, setting["pool_size"], strides, padding)
        case kind:
            raise AssertionError(kind)


def reason(error: Exception) -> str:
    """TensorFlow's message without the numbers and names that differ from call to call."""
    message = str(error).partition("}} ")[2] or str(error)
    return re.sub(r"\s*(\[Op:|Received:).*", "", message, flags=re.DOTALL).strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
