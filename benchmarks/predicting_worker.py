"""One side of ``predicting.py``: a process that lives through all rounds and times prediction.

    python predicting_worker.py ours|tensorflow|onnx DATA.npz THREADS

Reads lines "row times" and answers each with one line of JSON: the pictures a second of predicting
all pictures so many times. The first answer is the list of rows.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 250  # as ours takes them
ONNX = ("onnx==1.23.*", "onnxscript==0.7.*", "onnxruntime==1.32.*")
ONNX_FOLDER = Path(__file__).resolve().parent / ".venv-onnx"
Row = Callable[[], object]


def main(side: str, path: str, threads: int) -> None:
    with np.load(path) as given:
        images = given["images"]
    rows = {"ours": ours, "tensorflow": tensorflow, "onnx": onnx}[side](images, threads)
    print(json.dumps(sorted(rows)), flush=True)
    for line in sys.stdin:
        name, times = line.rsplit(" ", 1)
        print(json.dumps(rate(rows[name], int(times), len(images))), flush=True)


def rate(row: Row, times: int, n: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        row()
    return times * n / (time.perf_counter() - start)


def ours(images: np.ndarray, threads: int) -> dict[str, Row]:
    """``predict_proba`` from pixels to probabilities, and the bare network on prepared batches."""
    import torch

    torch.set_num_threads(threads)
    rows: dict[str, Row] = {}
    for name, architecture, mirrored in (
        ("fast", "compact", False),
        ("fast mirrored", "compact", True),
        ("notes", "notes", False),
    ):
        model = our_model(architecture, mirrored, images)
        batches = prepared(model, images)
        rows[name] = lambda model=model: model.predict_proba(images)
        rows[f"{name} bare"] = lambda model=model, batches=batches: [
            forward(model, batch) for batch in batches
        ]
        rows[f"{name} bare, a batch a thread"] = lambda model=model, batches=batches: (
            a_batch_a_thread(model, batches, threads)
        )
    return rows


def our_model(architecture: str, mirrored: bool, images: np.ndarray) -> Any:
    """As the recipe of that network makes it, but for its weights."""
    from convolens.bundle import Model
    from convolens.data import fit_preprocessing
    from convolens.zoo import build_network

    kind = "per_pixel" if architecture == "notes" else "per_channel"
    return Model(
        network=build_network(architecture, images.shape[1:], 10, seed=0).eval(),
        architecture=architecture,
        preprocessing=fit_preprocessing(kind, images),
        classes=tuple("0123456789"),
        mirrored=mirrored,
    )


def prepared(model: Any, images: np.ndarray) -> list[Any]:
    """All batches of the network's input, in memory."""
    import torch

    from convolens.prediction import prepared_batches, to_network_input

    device = torch.device("cpu")
    return [
        to_network_input(batch, device) for batch in prepared_batches(model.preprocessing, images)
    ]


def forward(model: Any, batch: Any) -> None:
    import torch

    with torch.inference_mode():
        model.network(batch)
        if model.mirrored:
            model.network(batch.flip(3))


def a_batch_a_thread(model: Any, batches: list[Any], threads: int) -> None:
    """The bare passes as ours shares them out, which is often faster than all threads on one."""
    import torch

    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        list(pool.map(lambda batch: forward(model, batch), batches))
    torch.set_num_threads(threads)


def tensorflow(images: np.ndarray, threads: int) -> dict[str, Row]:
    """``keras.Model.predict`` on the notes' network, with standardised arrays in memory."""
    import keras
    import tensorflow as tf

    from training_worker import notes

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    pixels = images.astype(np.float32)
    pixels = ((pixels - pixels.mean(0)) / (pixels.std(0) + 1e-7)).astype(np.float32)
    model = notes(keras)
    return {
        f"notes, batches of {size}": lambda size=size: model.predict(
            pixels, batch_size=size, verbose=0
        )
        for size in (32, BATCH)  # 32 is what Keras takes by itself
    }


def onnx(images: np.ndarray, threads: int) -> dict[str, Row]:
    """ONNX Runtime on the networks of the recipes, with prepared batches in memory."""
    install_onnx()
    sys.path.append(str(ONNX_FOLDER))  # behind our own libraries
    import onnxruntime
    import torch

    rows: dict[str, Row] = {}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    for name, architecture in (("fast", "compact"), ("notes", "notes")):
        model = our_model(architecture, False, images)
        batches = [batch.contiguous().numpy() for batch in prepared(model, images)]
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/{name}.onnx"
            given = torch.from_numpy(batches[0])
            torch.onnx.export(
                model.network, (given,), path, input_names=["pictures"], output_names=["logits"],
                dynamo=True, external_data=False, verbose=False,
                dynamic_shapes={"input": {0: torch.export.Dim("n")}},
            )  # fmt: skip
            session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        found = session.run(None, {"pictures": batches[0]})[0]
        with torch.inference_mode():
            np.testing.assert_allclose(found, model.network(given).numpy(), atol=1e-3)
        rows[name] = lambda session=session, batches=batches: [
            session.run(None, {"pictures": batch}) for batch in batches
        ]
    return rows


def install_onnx() -> None:
    """Into a folder of its own, when it is missing: it is never a dependency of ours."""
    complete = ONNX_FOLDER / "complete"
    if complete.exists() and complete.read_text() == " ".join(ONNX):
        return
    print(f"installing {', '.join(ONNX)} into {ONNX_FOLDER} ...", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target"]
    subprocess.run([*command, ONNX_FOLDER, *ONNX], check=True, stdout=sys.stderr)
    complete.write_text(" ".join(ONNX))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
