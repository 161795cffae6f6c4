import ast
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from convolens.errors import ConfigError, DataError
from convolens.reports import Code, Output, Picture, Prose
from convolens.tour import make_tour
from convolens.tour.cells import read_cells
from convolens.tour.making import lesson_script, run_cells


def test_cells_run_in_one_namespace_and_show_what_a_notebook_would() -> None:
    script = (
        "# %% [markdown]\n# ## Sum\n# of two\n"
        "# %%\nx = 2\nprint('two')\n"
        "# %% The answer\nx + 40\n"
        "# %%\nNone\n"
    )
    titles: list[str] = []
    blocks = list(run_cells(read_cells(script), say=titles.append))
    assert blocks == [
        Prose("## Sum\nof two"),
        Code("x = 2\nprint('two')"),
        Output("two"),
        Code("x + 40"),
        Output("42"),
        Code("None"),
    ]
    assert titles == ["Sum"]


def test_a_figure_becomes_a_picture_with_the_cells_title() -> None:
    script = "# %% Noise\nimport numpy as np\nimport convolens as cl\ncl.plot_image(np.eye(4))"
    picture = list(run_cells(read_cells(script)))[-1]
    assert isinstance(picture, Picture)
    assert picture.caption == "Noise"
    assert picture.png.startswith(b"\x89PNG")


def test_an_error_points_at_the_line_of_the_script() -> None:
    script = "# %%\nx = 1\n# %%\n\ny = 2\n1 / 0\n"
    with pytest.raises(ZeroDivisionError) as caught:
        list(run_cells(read_cells(script)))
    assert caught.traceback[-1].lineno == 5  # counted from 0


def test_an_interrupted_training_ends_the_tour() -> None:
    script = (
        "# %%\nfrom pathlib import Path\nfrom convolens.training import Run\n"
        "run = Run(path=Path('x'), record={'status': 'interrupted', 'results': {}})\n"
        "# %%\nraise AssertionError\n"
    )
    with pytest.raises(KeyboardInterrupt):
        list(run_cells(read_cells(script)))


def test_every_cell_that_draws_has_a_caption_and_lines_fit_the_page() -> None:
    for cell in read_cells(lesson_script("digits")):
        if cell.is_markdown:
            continue
        last = ast.parse(cell.source).body[-1]
        draws = isinstance(last, ast.Expr) and "plot_" in ast.unparse(last)
        assert bool(cell.title) == draws, cell
        assert max(map(len, cell.source.splitlines())) <= 88, cell


def test_a_data_set_without_test_pictures_is_refused_before_the_work(tmp_path: Path) -> None:
    folder = tmp_path / "idx"
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8), dtype=np.uint8)
    header = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in images.shape)
    (folder / "train-images-idx3-ubyte").write_bytes(header + images.tobytes())
    labels = bytes(i % 2 for i in range(30))
    (folder / "train-labels-idx1-ubyte").write_bytes(
        b"\x00\x00\x08\x01" + (30).to_bytes(4, "big") + labels
    )
    with pytest.raises(DataError, match="no test pictures"):
        make_tour(tmp_path / "out", data=str(folder))
    assert not (tmp_path / "out").exists()


def test_somebody_elses_page_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>my home page</h1>")
    with pytest.raises(ConfigError, match=r"index.html is not a page of the tour"):
        make_tour(tmp_path, data="digits")
    assert (tmp_path / "index.html").read_text() == "<h1>my home page</h1>"


def test_the_whole_tour_on_the_bundled_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = make_tour("out", data="digits")
    html = page.read_text(encoding="utf-8")
    captions = re.findall(r"<figcaption>(.+?)</figcaption>", html)
    titles = [cell.title for cell in read_cells(lesson_script("digits"))]
    assert [unescape(caption) for caption in captions] == [title for title in titles if title]
    assert len(captions) == html.count("data:image/png;base64,") >= 20
    assert 'DATA = "digits"' in (tmp_path / "out" / "tour.py").read_text(encoding="utf-8")
    assert "?=" in html
    assert (tmp_path / "runs" / "digits-fast-1" / "model" / "model.json").exists()
    assert len(html) < 5_000_000
    assert str(tmp_path) not in html
