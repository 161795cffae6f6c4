import gzip
import hashlib
from pathlib import Path

import pytest

from convolens.data import (
    KNOWN_DATASETS,
    KnownDataset,
    KnownFile,
    data_directory,
    load_data,
    locate_files,
)
from convolens.errors import DataError

CONTENTS = {"images": b"pretend images", "labels": b"pretend labels"}
PACKED = {name: gzip.compress(content, mtime=0) for name, content in CONTENTS.items()}


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


KNOWN = KnownDataset(
    name="toys",
    title="pretend toys",
    class_names=("ball", "doll"),
    shape=(1, 1, 1),
    n_train=1,
    n_test=0,
    homepage="http://toys.invalid/about",
    licence="none",
    citation="none",
    files=tuple(
        KnownFile(name=name, md5=md5(PACKED[name]), md5_unpacked=md5(CONTENTS[name]))
        for name in CONTENTS
    ),
    addresses=("http://first.invalid/", "http://second.invalid/"),
)


class Web:
    """Stands for the network: what each address answers, and what was asked for."""

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.asked = []

    def __call__(self, address: str, destination: Path) -> None:
        self.asked.append(address)
        if address not in self.answers:
            raise OSError(f"no route to {address}")
        destination.write_bytes(self.answers[address])


def put(directory, **files):
    folder = directory / "toys"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)


def everywhere(address="http://first.invalid/"):
    return {f"{address}{name}.gz": content for name, content in PACKED.items()}


def test_the_data_directory_is_the_users_choice_or_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CONVOLENS_DATA", str(tmp_path))
    assert data_directory() == tmp_path
    monkeypatch.setenv("CONVOLENS_DATA", "~/sets")
    assert data_directory() == Path.home() / "sets"
    monkeypatch.delenv("CONVOLENS_DATA")
    assert "convolens" in data_directory().parts


def test_files_that_are_there_are_taken_without_the_network(tmp_path):
    put(tmp_path, images_gz=PACKED["images"], labels=CONTENTS["labels"])
    web = Web()
    files = locate_files(KNOWN, tmp_path, web)
    assert files == {
        "images": tmp_path / "toys" / "images.gz",
        "labels": tmp_path / "toys" / "labels",
    }
    assert web.asked == []


def test_only_missing_files_are_downloaded_and_then_kept(tmp_path):
    put(tmp_path, images_gz=PACKED["images"])
    web = Web(everywhere())
    files = locate_files(KNOWN, tmp_path, web)
    assert web.asked == ["http://first.invalid/labels.gz"]
    assert files["labels"].read_bytes() == PACKED["labels"]
    assert sorted(path.name for path in (tmp_path / "toys").iterdir()) == ["images.gz", "labels.gz"]
    assert locate_files(KNOWN, tmp_path, Web()) == files


def test_the_data_directory_is_made_when_it_is_first_needed(tmp_path):
    locate_files(KNOWN, tmp_path / "a" / "b", Web(everywhere()))
    assert (tmp_path / "a" / "b" / "toys" / "images.gz").is_file()


@pytest.mark.parametrize("first", [None, b"<html>moved</html>", b""])
def test_the_next_address_is_tried_after_silence_or_a_wrong_answer(tmp_path, first):
    answers = everywhere("http://second.invalid/")
    if first is not None:
        answers |= dict.fromkeys(everywhere("http://first.invalid/"), first)
    web = Web(answers)
    files = locate_files(KNOWN, tmp_path, web)
    assert files["images"].read_bytes() == PACKED["images"]
    assert web.asked[:2] == ["http://first.invalid/images.gz", "http://second.invalid/images.gz"]


def test_a_wrong_answer_is_never_left_behind(tmp_path):
    web = Web(dict.fromkeys([*everywhere(), *everywhere("http://second.invalid/")], b"wrong"))
    with pytest.raises(DataError, match="what came is not the official file"):
        locate_files(KNOWN, tmp_path, web)
    assert list((tmp_path / "toys").iterdir()) == []


def test_without_a_network_one_line_says_what_to_put_where(tmp_path):
    put(tmp_path, images_gz=PACKED["images"])
    with pytest.raises(DataError) as caught:
        locate_files(KNOWN, tmp_path, Web())
    text = str(caught.value)
    assert "\n" not in text
    assert "images.gz" not in text
    for part in ("toys", "labels.gz", f"put them into {tmp_path / 'toys'}", "CONVOLENS_DATA"):
        assert part in text
    assert "http://second.invalid/: no route to" in text


@pytest.mark.parametrize("name", ["images_gz", "images"])
def test_an_altered_or_truncated_file_is_refused_by_name(tmp_path, name):
    whole = PACKED["images"] if name.endswith("gz") else CONTENTS["images"]
    for content in (whole[:-1], whole + b"\0", bytes([whole[0] ^ 1]) + whole[1:], b""):
        put(tmp_path, **{name: content, "labels_gz": PACKED["labels"]})
        path = tmp_path / "toys" / name.replace("_", ".")
        with pytest.raises(DataError, match="altered, truncated or another file") as caught:
            locate_files(KNOWN, tmp_path, Web(everywhere()))
        assert str(caught.value).startswith(f"{path} is not the official file of toys")
        assert path.read_bytes() == content  # a user's file is never replaced


def test_swapped_files_are_refused_and_recognised(tmp_path):
    put(tmp_path, images_gz=PACKED["labels"], labels_gz=PACKED["images"])
    with pytest.raises(
        DataError, match=r"images\.gz is not the official file of toys: it is labels"
    ):
        locate_files(KNOWN, tmp_path, Web())


def test_a_data_directory_that_cannot_be_written_is_a_data_error(tmp_path):
    (tmp_path / "toys").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="not downloaded"):
        locate_files(KNOWN, tmp_path, Web(everywhere()))


def test_load_data_enters_the_network_only_through_its_seam(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOLENS_DATA", str(tmp_path))
    web = Web()
    with pytest.raises(DataError, match="kmnist: not in") as caught:
        load_data("kmnist", fetch=web)
    assert web.asked == ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-images-idx3-ubyte.gz"]
    for file in KNOWN_DATASETS["kmnist"].files:
        assert f"{file.name}.gz" in str(caught.value)


def test_every_known_data_set_is_complete():
    sums = []
    for name, known in KNOWN_DATASETS.items():
        assert known.name == name
        assert len(set(known.class_names)) == 10
        assert bool(known.files) == bool(known.addresses) == (name != "digits")
        assert all(address.endswith("/") for address in known.addresses)
        sums += [file.md5 for file in known.files]
    assert len(set(sums)) == len(sums) == 12
    assert all(len(value) == 32 and set(value) <= set("0123456789abcdef") for value in sums)
