"""The report in a real browser: its cells open, its tables sort, on a phone and a desktop."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, browser, complaints, open_page, resize
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from convolens.reports import Judged, write_evaluation_page
from convolens.reports.matrix import matrix_cells


@pytest.fixture(scope="module")
def opened() -> Iterator[Chrome]:
    with browser() as chrome:
        yield chrome


@pytest.fixture
def page(html: str, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_it_fits_the_screen_and_nothing_complains(
    opened: Chrome, page: Path, size: tuple[int, int]
) -> None:
    resize(opened, size)
    open_page(opened, page)
    assert opened.execute_script("return document.documentElement.scrollWidth") <= size[0]
    broken = "return [...document.images].filter(each => !each.naturalWidth).length"
    assert opened.execute_script(broken) == 0
    answer = opened.find_element(By.CLASS_NAME, "answer")
    assert answer.rect["y"] + answer.rect["height"] < size[1]  # on the first screen
    assert complaints(opened) == []


def test_a_cell_opens_its_pictures(opened: Chrome, page: Path, judged: Judged) -> None:
    resize(opened, DESKTOP)
    open_page(opened, page)
    shown = [cell for cell in matrix_cells(judged, 10_000) if cell.right != cell.called]
    first, second = (f'.matrix a[href="#{cell.anchor}"]' for cell in shown[:2])
    panels = [f"#{cell.anchor} img" for cell in shown[:2]]
    assert not opened.find_element(By.CSS_SELECTOR, panels[0]).is_displayed()
    opened.find_element(By.CSS_SELECTOR, first).click()
    pictures = opened.find_elements(By.CSS_SELECTOR, panels[0])
    assert all(picture.is_displayed() for picture in pictures)
    assert len(pictures) == len(shown[0].places) + min(2, len(shown[0].places))  # heat maps
    opened.find_element(By.CSS_SELECTOR, second).send_keys(Keys.ENTER)
    assert not pictures[0].is_displayed()
    assert opened.find_element(By.CSS_SELECTOR, panels[1]).is_displayed()
    opened.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not opened.find_element(By.CSS_SELECTOR, panels[1]).is_displayed()
    href = opened.switch_to.active_element.get_attribute("href") or ""
    assert href.endswith(shown[1].anchor)


def test_cells_of_many_classes_can_be_opened_without_a_table(
    opened: Chrome, judge: Callable[..., Judged], tmp_path: Path
) -> None:
    classes = tuple(f"class {number}" for number in range(61))
    path = write_evaluation_page(tmp_path / "many.html", judge(n=122, classes=classes))
    resize(opened, DESKTOP)
    open_page(opened, path)
    panels = opened.find_elements(By.CSS_SELECTOR, "#cells details")
    assert panels
    assert all(panel.is_displayed() for panel in panels)


def test_a_table_is_sorted_by_its_column(opened: Chrome, page: Path) -> None:
    resize(opened, DESKTOP)
    open_page(opened, page)
    heads = opened.find_elements(By.CSS_SELECTOR, "#classes th")
    place = [head.text.split()[0] for head in heads].index("recall")

    def values() -> list[float]:
        cells = f"#classes tbody td:nth-child({place + 1})"
        found = opened.find_elements(By.CSS_SELECTOR, cells)
        return [float(cell.get_attribute("data-value") or "nan") for cell in found]

    before = values()
    assert len(set(before)) == 3
    heads[place].find_element(By.TAG_NAME, "button").click()
    assert values() == sorted(before)
    assert heads[place].get_attribute("aria-sort") == "ascending"
    heads[place].find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert values() == sorted(before, reverse=True)
    assert heads[place].get_attribute("aria-sort") == "descending"


def test_without_a_script_every_cell_is_reached_by_its_link(
    opened: Chrome, page: Path, judged: Judged
) -> None:
    cell = next(cell for cell in matrix_cells(judged, 10_000) if cell.right != cell.called)
    opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened.get(f"{page.resolve().as_uri()}#{cell.anchor}")
        assert opened.find_element(By.CSS_SELECTOR, f"#{cell.anchor} img").is_displayed()
    finally:
        opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_it_is_dark_where_that_is_asked_for(page: Path) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    with browser(dark=True) as dark:
        open_page(dark, page)
        assert dark.execute_script(paper) == "rgb(20, 24, 28)"
