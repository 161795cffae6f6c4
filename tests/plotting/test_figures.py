"""Figures without pyplot, and files: their kinds, their bytes, and nobody's settings changed."""

import subprocess
import sys
import threading
import zlib

import matplotlib as mpl
import matplotlib.figure
import numpy as np
import pytest
from PIL import Image

from convolens.errors import ConfigError
from convolens.plotting import Figure, plot_image, plot_images, save_figure
from convolens.plotting.style import house_style

SIGNATURES = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.fixture
def picture():
    return np.random.default_rng(0).random((20, 30))


@pytest.mark.parametrize("kind", SIGNATURES)
def test_the_name_decides_the_format(tmp_path, picture, kind):
    path = save_figure(plot_image(picture), tmp_path / "new" / "folder" / f"figure.{kind.upper()}")
    assert path.read_bytes().startswith(SIGNATURES[kind])
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", SIGNATURES)
def test_the_same_figure_gives_the_same_bytes_and_no_date(tmp_path, picture, kind):
    files = [tmp_path / f"{n}.{kind}" for n in range(2)]
    for file in files:
        save_figure(plot_images([picture, picture], [0, 1], ["a", "b"]), file)
    content = files[0].read_bytes()
    assert content == files[1].read_bytes()
    for mark in (b"dc:date", b"CreationDate", b"ModDate"):
        assert mark not in content


@pytest.mark.parametrize("dpi", [50, 200])
def test_dpi_is_that_of_the_file(tmp_path, picture, dpi):
    figure = plot_image(picture)
    before = figure.get_dpi()
    with Image.open(save_figure(figure, tmp_path / "a.png", dpi=dpi)) as image:
        assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)
        assert image.size == pytest.approx(figure.get_size_inches() * dpi, abs=1)
    assert figure.get_dpi() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.jpg", r"cannot save a figure as 'a.jpg', which ends in '.jpg'; allowed: .png, .svg"),
        ("figure", r"cannot save a figure as 'figure', which has no ending; allowed"),
        (".png", r"cannot save a figure as '.png', which has no ending"),
    ],
)
def test_other_files_are_refused(tmp_path, picture, name, message):
    with pytest.raises(ConfigError, match=message):
        save_figure(plot_image(picture), tmp_path / "new" / name)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("dpi", [0, -1, 100_000, float("nan"), "300", None])
def test_an_impossible_dpi_is_refused(tmp_path, picture, dpi):
    with pytest.raises(ConfigError, match=r"dpi is .* allowed: 1 to 1200"):
        save_figure(plot_image(picture), tmp_path / "a.png", dpi=dpi)


def test_a_failure_half_way_leaves_the_old_file(tmp_path, picture):
    class Failing(Figure):
        def savefig(self, path, **_):
            path.write_bytes(b"half")
            raise OSError("disk full")

    target = save_figure(plot_image(picture), tmp_path / "a.png")
    before = target.read_bytes()
    with pytest.raises(OSError, match="disk full"):
        save_figure(Failing(), target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_figure_of_matplotlibs_own_is_saved_too(tmp_path):
    figure = matplotlib.figure.Figure(figsize=(1, 1))
    figure.add_subplot().plot([1, 2])
    assert save_figure(figure, str(tmp_path / "a.pdf")).read_bytes().startswith(b"%PDF")


def test_a_figure_is_an_ordinary_one_that_a_notebook_shows(picture):
    figure = plot_image(picture)
    assert isinstance(figure, matplotlib.figure.Figure)
    figure.axes[0].set_title("mine")
    shown = figure._repr_png_()
    with_title_gone = plot_image(picture)._repr_png_()
    assert shown.startswith(SIGNATURES["png"])
    assert zlib.crc32(shown) != zlib.crc32(with_title_gone)


def test_no_function_changes_matplotlibs_settings(examples, tmp_path):
    before = dict(mpl.rcParams)
    for draw in list(examples.values())[::11]:
        save_figure(draw(), tmp_path / "a.png", dpi=20)
    assert dict(mpl.rcParams) == before


def test_a_users_settings_do_not_leak_into_our_figures(picture):
    plain = plot_image(picture)._repr_png_()
    loud = {"axes.facecolor": "red", "font.size": 30, "image.cmap": "jet", "text.usetex": True}
    with mpl.rc_context(loud):
        assert plot_image(picture)._repr_png_() == plain
        assert mpl.rcParams["font.size"] == 30


def test_a_user_whose_default_is_another_layout_may_save_twice(picture, tmp_path):
    figure = plot_image(picture)
    with mpl.rc_context({"figure.constrained_layout.use": True}):
        before = [axes.get_position().bounds for axes in figure.axes]
        figure.savefig(tmp_path / "a.svg")
        figure.savefig(tmp_path / "b.svg")
    assert [axes.get_position().bounds for axes in figure.axes] == before


def test_threads_leave_the_settings_as_they_were(picture):
    """rc_context alone would not: two inside it at once restore one another's settings."""
    before = dict(mpl.rcParams)
    pictures = []
    threads = [
        threading.Thread(target=lambda: pictures.append(plot_image(picture)._repr_png_()))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(mpl.rcParams) == before
    assert len(pictures) == 6
    assert len(set(pictures)) == 1


def test_settings_are_restored_after_an_error():
    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError), house_style():
        _ = 1 / 0
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_imported(tmp_path):
    program = f"""
import sys
import numpy as np
from convolens import plotting as p
grey = np.eye(9)
figures = [
    p.plot_image(grey), p.plot_feature_maps(grey[:, :, None]), p.plot_filters(grey),
    p.plot_crop(grey, (1, 5), (2, 6)), p.plot_pooling(grey, grey[::2, ::2]),
    p.plot_learning_curves([{{"epoch": 1, "val_loss": 1.0}}]),
    p.plot_confusion_matrix([[1, 0], [0, 1]], ["a", "b"]),
    p.plot_predictions(grey[None], [[0.2, 0.8]], [1], ["a", "b"]),
]
for kind in ("png", "svg", "pdf"):
    p.save_figure(figures[0], {str(tmp_path)!r} + "/a." + kind)
figures[1]._repr_png_()
print(sorted({{"matplotlib.pyplot", "torch", "sklearn"}} & set(sys.modules)))
"""
    command = [sys.executable, "-W", "error", "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert run.stdout.strip() == "[]"
