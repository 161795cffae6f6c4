"""What ``reading.py`` found, as lines to read, with the goals it was to reach."""

from typing import Any

from workers import spread

GOAL_PREPARING = 0.9
GOAL_DRAWING = 0.8
GOAL_MEMORY_MIB = 1024

Spreads = dict[str, dict[str, float]]


def ratios(visits: dict[str, list[float]], first: str, second: str) -> dict[str, float]:
    """One visit over the other in each round."""
    pairs = zip(visits[first], visits[second], strict=True)
    return spread([one / other for one, other in pairs])


def show(result: dict[str, Any]) -> None:
    """Print everything; a figure is the median of the rounds, with the least and the greatest."""
    for row in result["decoding"]:
        print(f"\ndecoding {row['height']} x {row['width']}, images a second, one process")
        lines(row["images_per_second"])
        lines(row["fit_image_over"], "fit_image / ")
    preparing, workers = result["preparing"], result["workers"]
    print(f"\npreparing {result['files']:,} files, images a second, {workers} processes")
    lines(preparing["images_per_second"])
    lines(preparing["ours_over"], "ours / ", GOAL_PREPARING)
    lines(preparing["seconds"], "seconds: ")
    print(f"  duplicate pairs found: {preparing['duplicate_pairs_found']:,}")
    for row in result["drawing"]:
        print(f"\ndrawing batches of {row['shape']}, images a second")
        lines(row["images_per_second"])
        lines({"array": row["stored_over_array"]}, "stored / ", GOAL_DRAWING)
    if result["memory"] is not None:
        print(f"\nmemory over {result['memory_files']:,} files, MiB; goal {GOAL_MEMORY_MIB}")
        for what, peak in result["memory"].items():
            print(f"  {what:<28} {memory_line(peak)}")


def lines(spreads: Spreads, prefix: str = "", goal: float | None = None) -> None:
    for name, found in spreads.items():
        median, least, greatest = (figure(found[key]) for key in ("median", "min", "max"))
        end = "" if goal is None else f"; goal {goal:g}: {told(found['median'] >= goal)}"
        print(f"  {prefix + name:<36} {median} ({least} to {greatest}){end}")


def memory_line(peak: dict[str, Any]) -> str:
    first, pss = peak["of_which_first_process_mib"], peak["peak_pss_mib"]
    return (
        f"RSS {peak['peak_rss_mib']:.0f} of {peak['processes']} processes ({first:.0f} the first), "
        f"PSS {'unknown' if pss is None else f'{pss:.0f}'}, {peak['seconds']:.0f} s: "
        + told(peak["peak_rss_mib"] < GOAL_MEMORY_MIB)
    )


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def told(met: bool) -> str:
    return "met" if met else "NOT met"
