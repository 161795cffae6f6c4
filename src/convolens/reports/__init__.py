"""Self-contained HTML pages: one file, no network, readable on a phone, light and dark."""

from convolens.reports.doctor import data_page, write_data_page
from convolens.reports.evaluation_figures import evaluation_figures, write_figures
from convolens.reports.evaluation_page import evaluation_page, write_evaluation_page
from convolens.reports.explanation_page import explanation_page, write_explanation_page
from convolens.reports.judged import Judged, RunFacts
from convolens.reports.page import GENERATOR, Block, Code, Output, Picture, Prose, render_page
from convolens.reports.places import check_page_place

__all__ = [
    "GENERATOR",
    "Block",
    "Code",
    "Judged",
    "Output",
    "Picture",
    "Prose",
    "RunFacts",
    "check_page_place",
    "data_page",
    "evaluation_figures",
    "evaluation_page",
    "explanation_page",
    "render_page",
    "write_data_page",
    "write_evaluation_page",
    "write_explanation_page",
    "write_figures",
]
