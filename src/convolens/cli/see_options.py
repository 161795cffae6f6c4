"""The options of ``convolens see``."""

from pathlib import Path
from typing import Annotated

import typer

_LARGEST_STEP = 9999  # more than the side of any picture that is read and filtered

ImageArgument = Annotated[
    str | None, typer.Argument(metavar="IMAGE", help="A picture file, or china, or flower.")
]
FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter", metavar="NAME", help="A named kernel, such as sobel_x or vertical_line:9."
    ),
]
KernelOption = Annotated[
    list[Path] | None,
    typer.Option("--kernel", metavar="FILE", help="A kernel of one's own: .txt, .csv or .npy."),
]
RandomOption = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        max=100,
        help="Also N filters of a fresh 3x3 convolution layer with ReLU.",
    ),
]
StrideOption = Annotated[
    list[int] | None,
    typer.Option("--stride", metavar="N", min=1, max=_LARGEST_STEP, help="By default 1."),
]
PaddingOption = Annotated[
    list[str] | None,
    typer.Option("--padding", metavar="same|valid|N", help="By default same."),
]
DilationOption = Annotated[
    list[int] | None,
    typer.Option("--dilation", metavar="N", min=1, max=_LARGEST_STEP, help="By default 1."),
]
PoolOption = Annotated[
    str | None,
    typer.Option(metavar="max:2|avg:2|depth:3", help="Pool the maps, or the picture itself."),
]
CropOption = Annotated[
    str | None,
    typer.Option(metavar="Y0:Y1,X0:X1", help="Look at these rows and columns alone."),
]
AtOption = Annotated[
    str | None,
    typer.Option(metavar="ROW,COLUMN", help="Work out this value of the result, number by number."),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the random filters.")]
OutOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="PNG, SVG or PDF; by default see-<name of IMAGE>.png."),
]
ListOption = Annotated[
    bool, typer.Option("--list", help="List the named kernels, and do nothing else.")
]
