"""A process with two workers: prints the name of each job that begins, and how it ended.

python jobs_at_once.py FOLDER DATA.npz RECIPE.json
"""

import sys
from pathlib import Path

from convolens.experiments import find_recipe
from convolens.experiments.jobs import Job, Workbench
from convolens.experiments.material import read_material
from convolens.experiments.runner import run_jobs

if __name__ == "__main__":
    folder, data, recipe = sys.argv[1:]
    bench = Workbench(read_material(data), find_recipe(recipe), Path(folder))
    jobs = [Job(name=f"seed {seed}", folder=f"seed-{seed}", seed=seed) for seed in range(3)]

    def started(job: Job) -> None:
        sys.stdout.write(f"{job.name}\n")
        sys.stdout.flush()

    done = run_jobs(bench, jobs, at_once=2, on_start=started)
    sys.stdout.write("done\n" if done else "stopped\n")
