"""TensorFlow, and cleanlab, each in an environment of its own, made when missing.

They are never dependencies of ours.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENT = "tensorflow==2.21.*"
CLEANLAB = "cleanlab==2.9.*"
HERE = Path(__file__).resolve().parent


def tensorflow_python() -> Path:
    """The interpreter that has TensorFlow, Keras and NumPy (and neither torch nor Convolens)."""
    return _python(HERE / ".venv-tensorflow", REQUIREMENT, "2 GB")


def cleanlab_python() -> Path:
    """The interpreter that has cleanlab and what it needs."""
    return _python(HERE / ".venv-cleanlab", CLEANLAB, "400 MB")


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


def _python(folder: Path, requirement: str, size: str) -> Path:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = folder / "complete"
    if not (complete.exists() and complete.read_text() == requirement):
        print(f"installing {requirement} into {folder} (about {size}) ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", requirement], check=True)
        complete.write_text(requirement)
    return python


if __name__ == "__main__":
    print(tensorflow_python())
