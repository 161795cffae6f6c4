"""``convolens see``: what it prints, what it writes, and what it refuses."""

import json

import numpy as np
import pytest
from PIL import Image

from convolens.images import load_image
from convolens.ops import kernels


@pytest.fixture
def small(tmp_path):
    """A grey picture of 8 x 8 pixels."""
    path = tmp_path / "small.png"
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_a_picture_alone(convolens, tmp_path):
    ran = convolens("see", "china")
    assert ran.status == 0
    assert ran.out.startswith("china: shape (427, 640, 3), uint8, values 0 to 255\n")
    assert ran.out.endswith("picture: see-china.png\n")
    assert ran.err == ""
    with Image.open(tmp_path / "see-china.png") as picture:
        assert picture.width == 1800  # six inches at 300 dots each
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_json_has_all_keys_and_one_map_for_each_combination(convolens, small):
    (small.parent / "diagonal.csv").write_text("1, 0\n0, 1\n")
    ran = convolens(
        "see", small, "--filter", "sobel_x", "--kernel", "diagonal.csv", "--random", 1,
        "--stride", 1, "--stride", 2, "--padding", "valid", "--padding", 1,
        "--pool", "max:2", "--crop", "1:8,0:6", "--out", "deep/er/all.svg", "--json",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert ran.json.keys() == {"image", "crop", "maps", "pool", "trace", "out"}
    assert ran.json["image"]["path"] == str(small)
    assert ran.json["image"]["statistics"]["shape"] == [8, 8, 1]
    assert ran.json["crop"]["columns"] == [0, 6]
    assert ran.json["crop"]["statistics"]["shape"] == [7, 6, 1]
    assert ran.json["trace"] is None
    keys = {
        "filter", "activation", "stride", "padding", "dilation", "output_shape", "parameters",
        "multiply_adds", "receptive_field", "minimum", "maximum",
    }  # fmt: skip
    assert [entry.keys() for entry in ran.json["maps"]] == [keys] * 12
    assert [entry["filter"] for entry in ran.json["maps"][::4]] == [
        "sobel_x", "diagonal", "random 0",
    ]  # fmt: skip
    assert [entry["padding"] for entry in ran.json["maps"][:4]] == ["valid", 1, "valid", 1]
    assert len(ran.json["pool"]["outputs"]) == 12
    assert (small.parent / ran.json["out"]).read_text().startswith("<?xml")


@pytest.mark.parametrize(("name", "begin"), [("a.pdf", b"%PDF"), ("a.PNG", b"\x89PNG")])
def test_the_name_of_the_output_chooses_its_kind(convolens, small, name, begin):
    assert convolens("see", small, "--pool", "avg:2", "--out", name).status == 0
    assert (small.parent / name).read_bytes().startswith(begin)


def test_a_value_is_worked_out_in_print_in_json_and_in_a_picture(convolens, small):
    options = ("see", small, "--filter", "gaussian:3", "--at", "0,7", "--out", "g.png")
    ran = convolens(*options)
    assert "It saw rows -1 to 1 and columns 6 to 8 of the picture." in ran.out
    assert ran.out.endswith("picture: g.png, g-at.png\n")
    trace = convolens(*options, "--json").json["trace"]
    window = np.pad(load_image(small)[:, :, 0] / 255, 1)[0:3, 7:10]
    assert trace["value"] == pytest.approx((window * kernels.gaussian(3)).sum(), abs=1e-6)
    assert (small.parent / "g-at.png").is_file()


def test_what_relu_makes_of_a_value_is_told(convolens, small):
    ran = convolens("see", small, "--random", 1, "--crop", "0:4,0:4", "--at", "2,2")
    value = float(ran.out.partition("value = ")[2].split()[0])
    after = float(ran.out.partition("after ReLU: ")[2].split()[0])
    assert after == max(value, 0)
    assert "counted from the corner of the crop" in ran.out


def test_pooled_values_are_worked_out_too(convolens, small):
    pixels = load_image(small)[:, :, 0]
    ran = convolens("see", small, "--pool", "max:4", "--at", "1,0", "--json")
    assert ran.json["trace"]["value"] == pytest.approx(pixels[4:, :4].max() / 255)


def test_random_filters_are_chosen_by_their_seed(convolens, small):
    def ranges(seed):
        maps = convolens("see", small, "--random", 3, "--seed", seed, "--json").json["maps"]
        return [(entry["minimum"], entry["maximum"]) for entry in maps]

    assert ranges(1) == ranges(1) != ranges(2)


def test_values_without_a_number_in_json_are_null(convolens, small):
    (small.parent / "huge.txt").write_text("3e38 3e38\n3e38 3e38\n")
    Image.new("L", (4, 4), 255).save("white.png")
    ran = convolens("see", "white.png", "--kernel", "huge.txt", "--at", "0,0", "--json")
    assert ran.status == 0
    assert ran.json["trace"]["value"] is None


def test_every_named_kernel_is_listed_with_its_source(convolens):
    ran = convolens("see", "--list")
    for name, kernel in kernels.KERNELS.items():
        (line,) = [line for line in ran.out.splitlines() if line.startswith(f"{name} ")]
        assert kernel.description in line
        assert kernel.source in line
    listed = convolens("see", "--list", "--json").json["kernels"]
    assert [entry["name"] for entry in listed] == list(kernels.KERNELS)


def test_a_repeated_option_makes_no_repeated_row(convolens, small):
    box = ("--filter", "box") * 3
    ran = convolens("see", small, *box, "--stride", 2, "--stride", 2, "--json")
    assert len(ran.json["maps"]) == 1


def test_kernel_files_of_one_name_are_told_apart(convolens, small):
    for folder in ("a", "b"):
        (small.parent / folder).mkdir()
        (small.parent / folder / "k.txt").write_text("1 2\n")
    ran = convolens("see", small, "--kernel", "a/k.txt", "--kernel", "b/k.txt", "--json")
    assert [entry["filter"] for entry in ran.json["maps"]] == ["k", "b/k.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "IMAGE is missing; name a picture file, or china, or flower"),
        ("nowhere.png", "there is no file 'nowhere.png'"),
        ("chnia", "did you mean 'china'?"),
        ("notes.txt", "notes.txt: not a picture that can be read"),
        ("SMALL --filter sobel", "unknown kernel 'sobel'; did you mean 'sobel_y'?"),
        ("SMALL --filter sobel_x:4", "size is 4; it must be odd"),
        ("SMALL --kernel none.csv", "none.csv cannot be read"),
        ("SMALL --kernel notes.txt", "notes.txt, line 1: 'not' is not a number"),
        ("SMALL --kernel SMALL", "a kernel file must end in .txt, .csv, .npy"),
        ("SMALL --filter box --stride 0", "Invalid value for '--stride'"),
        ("SMALL --filter box --stride two", "(got 'two'). See: convolens see --help"),
        ("SMALL --filter box --padding sme", "--padding is 'sme'; allowed: same, valid, or a"),
        ("SMALL --filter box --padding 99999", "at most 200,000,000 are allowed"),
        ("SMALL --filter box --dilation 0", "Invalid value for '--dilation'"),
        ("SMALL --filter gabor_0 --padding valid", "height of 15 is larger than the picture's 8"),
        ("SMALL --stride 2", "--stride is for filters, and there is none; name one with --filter"),
        ("SMALL --padding valid --pool max:2", "--padding is for filters"),
        ("SMALL --random 101", "Invalid value for '--random'"),
        ("SMALL --random 60 --stride 1 --stride 2", "are 120 maps; allowed: 1 to 100"),
        ("SMALL --pool 2", "unknown pooling '2'; allowed: max, avg, depth (as in max:2)"),
        ("SMALL --pool max:9", "height of 9 is larger than the picture's 8"),
        ("SMALL --pool depth:3", "it must divide the 1 channels"),
        ("SMALL --crop 1:4", "--crop is '1:4'; it must be Y0:Y1,X0:X1 in whole numbers from 0"),
        ("SMALL --crop 4:1,0:8", "rows=(4, 1) is not a part of the picture's 8 rows"),
        ("SMALL --crop 0:8,0:9", "columns=(0, 9) is not a part of the picture's 8 columns"),
        ("SMALL --at 1,1", "there is no value to take apart"),
        ("SMALL --filter box --at 1", "--at is '1'; it must be ROW,COLUMN"),
        ("SMALL --filter box --at 8,0", "row is 8; it must be a whole number from 0 to 7"),
        ("SMALL --filter box --stride 1 --stride 2 --at 0,0", "there are 2 feature maps"),
        ("SMALL --out picture.gif", "allowed: .png, .svg, .pdf"),
        ("SMALL --out notes.txt/a.png", "cannot write notes.txt/a.png: "),
        ("SMALL --colour", "No such option: --colour"),
        ("SMALL SMALL", "unexpected extra argument"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(refused, small, options, message):
    (small.parent / "notes.txt").write_text("not a picture\n")
    given = [str(small) if word == "SMALL" else word for word in options.split()]
    assert message in refused("see", *given)
    assert not list(small.parent.glob("see-*"))


def test_a_picture_that_is_not_one_is_refused_with_its_name(refused, tmp_path):
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    assert refused("see", tmp_path / "cut.png").startswith(f"{tmp_path / 'cut.png'}: ")
    (tmp_path / "taken.png").mkdir()
    assert "cannot write" in refused("see", "china", "--out", "taken.png")


def test_json_survives_a_name_that_is_no_text(convolens, small):
    odd = small.rename(small.parent / "\udcff.png")
    ran = convolens("see", odd, "--json")
    assert ran.status == 0
    assert json.loads(ran.out)["image"]["path"].endswith(".png")
