"""Self-contained HTML pages: one file, no network, readable on a phone, light and dark."""

from convolens.reports.doctor import check_page_place, data_page, write_data_page
from convolens.reports.page import GENERATOR, Block, Code, Output, Picture, Prose, render_page

__all__ = [
    "GENERATOR",
    "Block",
    "Code",
    "Output",
    "Picture",
    "Prose",
    "check_page_place",
    "data_page",
    "render_page",
    "write_data_page",
]
