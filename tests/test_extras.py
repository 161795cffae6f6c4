import sys
from pathlib import Path

import pytest

from convolens.errors import ExtraMissing
from convolens.extras import require


def test_a_missing_library_names_itself_and_its_extra() -> None:
    with pytest.raises(
        ExtraMissing, match=r'no_such_library\.part is not .*pip install "convolens\[cluster\]"'
    ):
        require("no_such_library.part", extra="cluster")


def test_a_broken_library_is_not_taken_for_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("import something_it_needs")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="something_it_needs") as caught:
        require("broken_library", extra="cluster")
    assert not isinstance(caught.value, ExtraMissing)
    assert "broken_library" not in sys.modules
