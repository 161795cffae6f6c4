"""Every example of the README is run, in order, in one folder."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from convolens.cli.main import main
from convolens.images import load_sample

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"```(sh|python)\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(EXAMPLES) == 6
    monkeypatch.chdir(tmp_path)
    take_photos(tmp_path / "photos")
    namespace: dict[str, object] = {}
    for language, source in EXAMPLES:
        if language == "python":
            exec(source, namespace)  # noqa: S102 - our own README
            continue
        for line in source.strip().splitlines():
            program, *arguments = shlex.split(line)
            assert program == "convolens"
            assert main(arguments) == 0, capsys.readouterr().err
    for name in ("photos.html", "edges.png", "edges.svg", "maps.png", "runs/first/run.json"):
        assert (tmp_path / name).stat().st_size > 100
    assert re.search(r"accuracy (9\d|100)\.", capsys.readouterr().out)


def take_photos(folder: Path) -> None:
    """Two classes of photographs: pieces of the sample pictures."""
    for name in ("china", "flower"):
        whole = Image.fromarray(load_sample(name))
        (folder / name).mkdir(parents=True)
        for number in range(20):
            left, top = 25 * number, 60 * (number % 5)
            whole.crop((left, top, left + 160, top + 120)).save(folder / name / f"{number}.jpg")


def test_the_picture_is_there_and_small() -> None:
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", README.read_text(encoding="utf-8"))
    assert pictures
    for picture in pictures:
        assert 1_000 < (README.parent / picture).stat().st_size < 200_000


def test_every_linked_file_exists() -> None:
    for target in re.findall(r"\]\((?!https?:)(.+?)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target


def test_every_file_that_the_documentation_names_exists() -> None:
    pages = [
        README,
        *(README.parent / "docs").rglob("*.md"),
        *README.parent.glob("benchmarks/*.md"),
    ]
    for page in pages:
        named = re.findall(r"`((?:docs|benchmarks|src|tests)/[\w./-]+)`", page.read_text("utf-8"))
        for target in named:
            if ".venv" not in target:
                assert (README.parent / target).exists(), f"{page.name}: {target}"
