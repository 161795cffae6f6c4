"""TensorFlow in an environment of its own, made when missing: it is never a dependency of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENT = "tensorflow==2.21.*"
FOLDER = Path(__file__).resolve().parent / ".venv-tensorflow"


def tensorflow_python() -> Path:
    """The interpreter that has TensorFlow, Keras and NumPy (and neither torch nor Convolens)."""
    python = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = FOLDER / "complete"
    if not (complete.exists() and complete.read_text() == REQUIREMENT):
        print(f"installing {REQUIREMENT} into {FOLDER} (about 2 GB) ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", REQUIREMENT], check=True)
        complete.write_text(REQUIREMENT)
    return python


def tensorflow_variables(threads: int | None = None) -> dict[str, str]:
    """Environment variables for a TensorFlow process: quiet, on the CPU, with so many threads."""
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    if threads is not None:
        variables["OMP_NUM_THREADS"] = str(threads)
    return variables


def tensorflow_versions() -> dict[str, str]:
    """Versions of TensorFlow, Keras and NumPy in that environment."""
    names = ("tensorflow", "keras", "numpy")
    code = (
        "import json; from importlib.metadata import version; "
        f"print(json.dumps({{name: version(name) for name in {names!r}}}))"
    )
    answer = subprocess.run(
        [tensorflow_python(), "-c", code], check=True, capture_output=True, text=True
    )
    return json.loads(answer.stdout)


if __name__ == "__main__":
    print(tensorflow_python())
