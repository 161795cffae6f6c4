"""The design's import rules: layers, and what stays out of a light command."""

import subprocess
import sys

import pytest
from importlinter.cli import lint_imports

import convolens


def test_imports_point_downward_only() -> None:
    assert lint_imports(no_cache=True) == 0


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["see", "--help"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys; from convolens.cli.main import main; status = main(sys.argv[1:]);"
        "heavy = {'torch', 'matplotlib', 'sklearn', 'numpy', 'PIL'} & sys.modules.keys();"
        "sys.exit(f'loaded: {heavy}' if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_nothing() -> None:
    code = (
        "import sys, convolens; heavy = {'torch', 'matplotlib', 'numpy'} & sys.modules.keys();"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_exists_and_is_documented() -> None:
    for name in convolens.__all__:
        value = getattr(convolens, name)
        assert name == "__version__" or value.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = convolens.trian
