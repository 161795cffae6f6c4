"""One side of ``training.py``: a process that lives through all rounds and times training.

    python training_worker.py ours|tensorflow DATA.npz THREADS

Reads lines "row steps" and answers each with one line of JSON: the images a second of that many
steps. The first answer is the list of rows.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BATCH = {"notes": 32, "fast": 256}
Row = Callable[[int], float]


def main(side: str, path: str, threads: int) -> None:
    with np.load(path) as given:
        rows = {"ours": ours, "tensorflow": tensorflow}[side](dict(given), threads)
    print(json.dumps(sorted(rows)), flush=True)
    for line in sys.stdin:
        name, steps = line.rsplit(" ", 1)
        print(json.dumps(rows[name](int(steps))), flush=True)


def ours(given: dict[str, Any], threads: int) -> dict[str, Row]:
    """The package's own training loop, with everything that a user's run does."""
    import torch

    from convolens.data import Split, fit_preprocessing
    from convolens.recipes import RECIPES
    from convolens.training import fit
    from convolens.zoo import build_network

    torch.set_num_threads(threads)
    labels = given["labels"].astype(np.int64)
    validation = Split(given["images"][:500], labels[:500])

    def row(name: str, precision: str) -> Row:
        def run(steps: int) -> float:
            n = steps * BATCH[name]
            recipe = RECIPES[name](epochs=1.0, batch_size=BATCH[name], precision=precision)
            train = Split(given["images"][:n], labels[:n])
            preprocessing = fit_preprocessing(recipe.preprocessing, train.images)
            network = build_network(recipe.architecture, (28, 28, 1), 10, **recipe.arguments)
            result = fit(network, preprocessing, train, validation, recipe, seed=0)
            return result.images_per_second

        return run

    return {
        f"{name} {precision}": row(name, precision)
        for name in BATCH
        for precision in ("float32", "bfloat16")
    }


def tensorflow(given: dict[str, Any], threads: int) -> dict[str, Row]:
    """The same networks in Keras, trained by ``model.fit`` on standardised arrays."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    images = given["images"].astype(np.float32)
    images = ((images - images.mean(0)) / (images.std(0) + 1e-7)).astype(np.float32)
    labels = given["labels"].astype(np.int64)

    def row(name: str, policy: str) -> Row:
        keras.config.set_dtype_policy(policy)
        build = {"notes": notes, "fast": compact}[name]
        model = build(keras)
        # Keras has no counterpart of the recipe's Muon in every version; Adam costs less a step.
        optimizer = "nadam" if name == "notes" else "adam"
        model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
        size = BATCH[name]
        model.fit(images[: 3 * size], labels[: 3 * size], batch_size=size, verbose=0)

        def run(steps: int) -> float:
            n = steps * size
            start = time.perf_counter()
            model.fit(images[:n], labels[:n], batch_size=size, verbose=0)
            return n / (time.perf_counter() - start)

        return run

    return {
        f"{name} {precision}": row(name, policy)
        for name in BATCH
        for precision, policy in (("float32", "float32"), ("bfloat16", "mixed_bfloat16"))
    }


def notes(keras: Any) -> Any:
    """The cell of the notes."""
    layers = keras.layers
    convolution = {"padding": "same", "activation": "relu"}
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 7, **convolution),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, **convolution),
            layers.Conv2D(128, 3, **convolution),
            layers.MaxPooling2D(2),
            layers.Conv2D(256, 3, **convolution),
            layers.Conv2D(256, 3, **convolution),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax", dtype="float32"),
        ]
    )


def compact(keras: Any) -> Any:
    """The network of the recipe ``fast``."""
    layers = keras.layers

    def convolution(filters: int, pool: bool) -> list[Any]:
        parts = [layers.Conv2D(filters, 3, padding="same", use_bias=False)]
        parts += [layers.MaxPooling2D(2)] if pool else []
        return [*parts, layers.BatchNormalization(momentum=0.7), layers.ReLU()]

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.ZeroPadding2D(1),
            # What its frozen filters hold costs no time.
            layers.Conv2D(32, 4, strides=2, use_bias=False, trainable=False),
            layers.ReLU(),
            *convolution(64, pool=True),
            *convolution(64, pool=False),
            *convolution(128, pool=True),
            *convolution(128, pool=False),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax", dtype="float32"),
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
