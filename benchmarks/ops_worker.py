"""One side of ``ops.py``: a process that lives through all rounds and times what it is asked to.

    python ops_worker.py ours|tensorflow PICTURES.npz THREADS

Reads lines "row calls" and answers each with one line of JSON: the seconds of every call. A line
"row 0" answers with a digest of the result instead. The first answer is the list of rows.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Row = Callable[[], Any]


def main(side: str, path: str, threads: int) -> None:
    with np.load(path) as given:
        rows = {"ours": ours, "tensorflow": tensorflow}[side](dict(given), threads)
    answer(sorted(rows))
    for line in sys.stdin:
        name, calls = line.rsplit(" ", 1)
        answer(times(rows[name], int(calls)) if int(calls) else digest(rows[name]()))


def times(row: Row, calls: int) -> list[float]:
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        row()
        seconds.append(time.perf_counter() - start)
    return seconds


def digest(result: Any) -> dict[str, Any]:
    values = np.asarray(result)
    return {
        "shape": values.shape,
        "dtype": str(values.dtype),
        "mean": float(values.mean(dtype=np.float64)),
        "corner": values[0, :3, :3, 0].astype(np.float64).tolist(),
    }


def answer(value: Any) -> None:
    print(json.dumps(value), flush=True)


def ours(given: dict[str, Any], threads: int) -> dict[str, Row]:
    """From NumPy arrays to NumPy arrays."""
    import torch

    import convolens as cl

    torch.set_num_threads(threads)
    rows: dict[str, Row] = {}
    for dtype in ("float32", "float64"):
        x, filters = given["pictures"].astype(dtype), given["filters"].astype(dtype)
        layer = cl.Conv2D(filters=32, kernel_size=3, dtype=dtype)
        rows |= {
            f"conv2d {dtype}": lambda x=x, w=filters: cl.conv2d(x, w, padding="same"),
            f"Conv2D {dtype}": lambda x=x, layer=layer: layer(x),
            f"max_pool2d {dtype}": lambda x=x: cl.max_pool2d(x, 2),
            f"avg_pool2d {dtype}": lambda x=x: cl.avg_pool2d(x, 2),
            f"depthwise_max_pool {dtype}": lambda x=x: cl.depthwise_max_pool(x, 3),
        }
    return rows


def tensorflow(given: dict[str, Any], threads: int) -> dict[str, Row]:
    """Each row twice: from tensor to tensor, and from NumPy array to NumPy array."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rows: dict[str, Row] = {}
    for dtype in ("float32", "float64"):
        arrays, filters = given["pictures"].astype(dtype), tf.constant(given["filters"], dtype)
        functions = {
            "conv2d": lambda x, w=filters: tf.nn.conv2d(x, w, strides=1, padding="SAME"),
            "Conv2D": keras_layer(tf, given["weights"].astype(dtype), dtype),
            "max_pool2d": tf.keras.layers.MaxPool2D(pool_size=2, dtype=dtype),
            "avg_pool2d": tf.keras.layers.AveragePooling2D(pool_size=2, dtype=dtype),
            "depthwise_max_pool": lambda x: tf.nn.max_pool(
                x, ksize=(1, 1, 1, 3), strides=(1, 1, 1, 3), padding="VALID"
            ),
        }
        x = tf.constant(arrays)
        for name, function in functions.items():
            rows[f"{name} {dtype}"] = lambda function=function, x=x: function(x)
            # tf.constant, for max_pool would read an array of float64 as float32; from_dlpack, for
            # numpy() copies.
            rows[f"{name} {dtype} arrays"] = lambda function=function, x=arrays: np.from_dlpack(
                function(tf.constant(x))
            )
    return rows


def keras_layer(tf: Any, weights: Any, dtype: str) -> Row:
    layer = tf.keras.layers.Conv2D(
        filters=32, kernel_size=3, strides=1, padding="same", activation="relu", dtype=dtype
    )
    layer.build((None, None, None, 3))
    layer.set_weights([weights, np.zeros(32, dtype)])
    return layer


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
