"""Training a network: the loop, optimisers, schedules, augmentation, events and the run folder."""

from convolens.training.augmentation import Augmentation
from convolens.training.events import Callback, Event, event_to_dict
from convolens.training.loop import FitResult, fit
from convolens.training.optimizers import Muon, MuonAdamW, NAdam, orthogonalise
from convolens.training.run import Run, load_run
from convolens.training.running import train_recipe
from convolens.training.schedules import Constant, Triangular
from convolens.training.settings import Recipe
from convolens.training.trained_on import SeenPictures, count_seen, count_trained_on

__all__ = [
    "Augmentation",
    "Callback",
    "Constant",
    "Event",
    "FitResult",
    "Muon",
    "MuonAdamW",
    "NAdam",
    "Recipe",
    "Run",
    "SeenPictures",
    "Triangular",
    "count_seen",
    "count_trained_on",
    "event_to_dict",
    "fit",
    "load_run",
    "orthogonalise",
    "train_recipe",
]
