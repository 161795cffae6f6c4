"""Data sets: reading, integrity, splits, sanity checks, preprocessing, order.

:func:`load_data` is the way in. Everything here is NumPy; pictures stay ``uint8`` until
:class:`Preprocessing` turns a batch of them into what a network takes.
"""

from convolens.data.catalogue import KNOWN_DATASETS, KnownDataset, KnownFile
from convolens.data.datasets import Dataset, Split
from convolens.data.directory import Fetch, data_directory, download, locate_files
from convolens.data.display import PreparationDisplay
from convolens.data.duplicates import picture_digests
from convolens.data.health import bad_share, is_official, refuse_bad, refuse_one_class
from convolens.data.idx import read_idx
from convolens.data.judging import LabelledPictures, load_pictures, pictures_of
from convolens.data.listing import Entry, Listing
from convolens.data.loading import DataSource, load_data
from convolens.data.manifest import read_split_file, write_split_file
from convolens.data.options import DataOptions, Layout, Preparation
from convolens.data.ordering import epoch_order
from convolens.data.preprocessing import PREPROCESSING_KINDS, Preprocessing, fit_preprocessing
from convolens.data.problems import PROBLEM_KINDS, Problem, ProblemKind
from convolens.data.sanity import DataSummary, SplitSummary, check_data
from convolens.data.splits import hold_out_last, stratified_split
from convolens.data.splitting import Splitting
from convolens.data.stored import Images, StoredImages, image_chunks, select

__all__ = [
    "KNOWN_DATASETS",
    "PREPROCESSING_KINDS",
    "PROBLEM_KINDS",
    "DataOptions",
    "DataSource",
    "DataSummary",
    "Dataset",
    "Entry",
    "Fetch",
    "Images",
    "KnownDataset",
    "KnownFile",
    "LabelledPictures",
    "Layout",
    "Listing",
    "Preparation",
    "PreparationDisplay",
    "Preprocessing",
    "Problem",
    "ProblemKind",
    "Split",
    "SplitSummary",
    "Splitting",
    "StoredImages",
    "bad_share",
    "check_data",
    "data_directory",
    "download",
    "epoch_order",
    "fit_preprocessing",
    "hold_out_last",
    "image_chunks",
    "is_official",
    "load_data",
    "load_pictures",
    "locate_files",
    "picture_digests",
    "pictures_of",
    "read_idx",
    "read_split_file",
    "refuse_bad",
    "refuse_one_class",
    "select",
    "stratified_split",
    "write_split_file",
]
