"""The notes, start to end: a Python script, run cell by cell into one page of pictures."""

from convolens.tour.making import make_tour

__all__ = ["make_tour"]
