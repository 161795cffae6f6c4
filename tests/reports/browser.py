"""A headless Chromium for tests of pages; without one on this machine they are skipped.

On Debian: ``apt-get install chromium chromium-driver``.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

PHONE, DESKTOP = (390, 844), (1280, 900)
_QUIET = (
    "--headless=new",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",  # what scrolls is there at once
)


@contextmanager
def browser(*, dark: bool = False) -> Iterator[Chrome]:
    """A browser that is closed when the block ends."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium and chromedriver are at hand")
    with TemporaryDirectory(prefix="browser") as profile:
        options = ChromeOptions()
        options.binary_location = chromium
        for argument in (*_QUIET, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        if dark:
            options.add_argument("--blink-settings=preferredColorScheme=0")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        opened = Chrome(options=options, service=ChromeService(driver))
        try:
            yield opened
        finally:
            opened.quit()


def resize(opened: Chrome, size: tuple[int, int]) -> None:
    """Show the page as on a screen of (width, height) CSS pixels."""
    width, height = size
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )


def open_page(opened: Chrome, page: Path) -> None:
    """Open a file."""
    opened.get(page.resolve().as_uri())


def complaints(opened: Chrome) -> list[str]:
    """What the browser wrote to its console: errors of a script, files that were missing."""
    return [entry["message"] for entry in opened.get_log("browser")]
