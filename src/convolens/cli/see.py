"""``convolens see``."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convolens.cli import see_options as take
from convolens.cli.output import JsonOption, print_json, print_text, say_how_it_is_read
from convolens.errors import ConfigError

if TYPE_CHECKING:
    from convolens.explain import ImageView
    from convolens.ops import ConvTrace, PoolTrace, SweepFilter


def see(
    image: take.ImageArgument = None,
    filters: take.FilterOption = None,
    kernels: take.KernelOption = None,
    random: take.RandomOption = 0,
    strides: take.StrideOption = None,
    paddings: take.PaddingOption = None,
    dilations: take.DilationOption = None,
    pool: take.PoolOption = None,
    crop: take.CropOption = None,
    at: take.AtOption = None,
    seed: take.SeedOption = 0,
    out: take.OutOption = None,
    list_kernels: take.ListOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a picture is, and what filters and pooling make of it.

    It is cropped, filtered and pooled, in this order. Options given twice make a grid.
    """
    if list_kernels:
        _list_kernels(as_json=as_json)
        return
    if not image:
        raise ConfigError("IMAGE is missing; name a picture file, or china, or flower")
    settings = _settings(strides, paddings, dilations)
    if settings and not (filters or kernels or random):
        raise ConfigError(
            f"--{next(iter(settings)).removesuffix('s')} is for filters, and there is none; "
            "name one with --filter, --kernel or --random"
        )
    place = None if at is None else _numbers(at, "--at", "ROW,COLUMN", r"{n},{n}")
    box = None if crop is None else _numbers(crop, "--crop", "Y0:Y1,X0:X1", r"{n}:{n},{n}:{n}")

    from convolens.explain import view_image
    from convolens.images import load_image
    from convolens.ops import named_pooling

    pooling = None if pool is None else named_pooling(pool)
    say_how_it_is_read(image)
    pixels = load_image(image)
    view = view_image(
        pixels,
        name=image,
        rows=None if box is None else (box[0], box[1]),
        columns=None if box is None else (box[2], box[3]),
        filters=_filters(filters or [], kernels or [], random, pixels.shape[2], seed),
        pooling=pooling,
        **settings,
    )
    trace = None if place is None else view.trace(*place)
    written = _draw(view, trace, out or Path(f"see-{Path(image).stem}.png"))
    if as_json:
        print_json(_as_json(view, trace, written))
    else:
        print_text(_as_text(view, trace, written))


def _settings(
    strides: list[int] | None, paddings: list[str] | None, dilations: list[int] | None
) -> dict[str, list[Any]]:
    """The settings of filters that were given, each value once."""
    given = {
        "strides": strides,
        "paddings": [_padding(text) for text in paddings or []],
        "dilations": dilations,
    }
    return {name: list(dict.fromkeys(values)) for name, values in given.items() if values}


def _padding(text: str) -> str | int:
    if text in ("same", "valid"):
        return text
    if re.fullmatch("[0-9]{1,6}", text):
        return int(text)
    raise ConfigError(f"--padding is {text!r}; allowed: same, valid, or a whole number of pixels")


def _numbers(text: str, option: str, form: str, pattern: str) -> list[int]:
    """The whole numbers in an option's text, which must have the form that is named."""
    found = re.fullmatch(pattern.format(n="([0-9]{1,9})"), text.replace(" ", ""))
    if found is None:
        raise ConfigError(f"{option} is {text!r}; it must be {form} in whole numbers from 0")
    return [int(group) for group in found.groups()]


def _filters(
    names: list[str], files: list[Path], random: int, channels: int, seed: int
) -> "list[SweepFilter]":
    from convolens.ops import SweepFilter, kernels, random_filters

    chosen = {name: kernels.named(name) for name in names}
    for file in files:
        # Two files may have one name in different folders.
        name = file.stem if file.stem not in chosen else str(file)
        chosen[name] = kernels.load_kernel(file)
    named = [SweepFilter(name=name, weights=weights) for name, weights in chosen.items()]
    return [*named, *(random_filters(random, channels, seed) if random else ())]


def _draw(view: "ImageView", trace: "ConvTrace | PoolTrace | None", out: Path) -> dict[str, str]:
    """Write the picture, and beside it the arithmetic if it was asked for; their paths."""
    from convolens.plotting import plot_trace, plot_view, save_figure

    figures = {"out": (out, plot_view(view, trace))}
    if trace is not None:
        figures["trace_out"] = (out.with_stem(f"{out.stem}-at"), plot_trace(trace))
    try:
        return {key: str(save_figure(figure, path)) for key, (path, figure) in figures.items()}
    except OSError as error:
        raise ConfigError(
            f"cannot write {out}: {error.strerror}; name another file with --out"
        ) from None


def _as_json(
    view: "ImageView", trace: "ConvTrace | PoolTrace | None", written: dict[str, str]
) -> dict[str, Any]:
    value = {**view.to_dict(), "trace": None if trace is None else trace.to_dict(), **written}
    return _without_nan(value)


def _as_text(
    view: "ImageView", trace: "ConvTrace | PoolTrace | None", written: dict[str, str]
) -> str:
    blocks = [str(view)]
    if trace is not None:
        relu = view.pooling is None and view.maps[0].filter.of_layer
        blocks.append(f"{trace}\nafter ReLU: {max(trace.value, 0):.4g}" if relu else str(trace))
        if view.cropped:
            blocks.append("Rows and columns are counted from the corner of the crop.")
    return "\n\n".join([*blocks, f"picture: {', '.join(written.values())}"])


def _without_nan(value: Any) -> Any:
    """JSON has neither NaN nor infinity, which weights near the limit of float32 can lead to."""
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _list_kernels(*, as_json: bool) -> None:
    from convolens.ops.kernels import KERNELS

    entries = [
        {
            "name": name,
            "size": kernel.size,
            "description": kernel.description,
            "source": kernel.source,
        }
        for name, kernel in KERNELS.items()
    ]
    if as_json:
        print_json({"kernels": entries})
        return
    width = max(len(name) for name in KERNELS)
    lines = [
        f"{name:<{width}}  {kernel.size:>4}  {kernel.description} ({kernel.source})"
        for name, kernel in KERNELS.items()
    ]
    print_text("\n".join([f"{'name':<{width}}  size  what it does, and where it is from", *lines]))
