"""cleanlab's side of ``label_errors.py``, in an environment of its own.

    python benchmarks/label_errors_peer.py FILE.npz OUT.npz ROUNDS

Reads probabilities (n, classes) and labels (n,); writes for each of its ways which labels it flags,
its ranking of all labels, and the seconds that it took.
"""

import os
import sys
import time

import numpy as np
from cleanlab.count import estimate_joint
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

WAYS = (
    "prune_by_noise_rate",
    "confident_learning",
    "prune_by_class",
    "both",
    "predicted_neq_given",
    "low_self_confidence",
    "low_normalized_margin",
)
RANKINGS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def main(source: str, target: str, rounds: int) -> None:
    with np.load(source) as given:
        probabilities, labels = given["probabilities"], given["labels"]
    found = {}
    for way in WAYS:
        flags = find_label_issues(labels, probabilities, filter_by=way, n_jobs=1)
        found[f"flags {way}"] = flags
    for method in RANKINGS:
        found[f"scores {method}"] = get_label_quality_scores(labels, probabilities, method=method)
    found["joint"] = estimate_joint(labels, probabilities)
    # As people call it: the default way, ranked, with processes as it likes and with one.
    for jobs in (1, None):
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            find_label_issues(
                labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=jobs
            )
            seconds.append(time.perf_counter() - start)
        found[f"seconds {'one' if jobs else 'usual'}"] = np.array(seconds)
    np.savez(target, **found)


if __name__ == "__main__":
    os.environ.setdefault("TQDM_DISABLE", "1")
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
