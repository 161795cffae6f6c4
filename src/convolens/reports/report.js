// Sorting a table by a column, and opening a cell of the confusion matrix. Nothing else: without
// this, the tables are as they are and every cell is a link to its pictures.
"use strict";
document.documentElement.classList.add("js");

const sortedBy = (row, column) => {
  const cell = row.cells[column];
  const value = cell.dataset.value ?? cell.textContent.trim();
  return value === "" || Number.isNaN(Number(value)) ? value : Number(value);
};

function sort(head) {
  const table = head.closest("table");
  const column = head.cellIndex;
  const falling = head.getAttribute("aria-sort") === "ascending";
  const rows = [...table.tBodies[0].rows];
  const sign = falling ? -1 : 1;
  rows.sort((one, other) => {
    const a = sortedBy(one, column);
    const b = sortedBy(other, column);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
  });
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  table.tBodies[0].append(...rows);
}

for (const head of document.querySelectorAll(".sortable th")) {
  head.querySelector("button")?.addEventListener("click", () => sort(head));
}

const cells = [...document.querySelectorAll(".matrix a")];
for (const link of cells) link.setAttribute("aria-expanded", "false");
const panelOf = (link) => document.querySelector(link.getAttribute("href"))?.closest("details");

function show(link) {
  const panel = panelOf(link);
  if (!panel) return;
  for (const other of document.querySelectorAll("#cells details[open]")) {
    if (other !== panel) other.open = false;
  }
  panel.open = true;
  for (const other of cells) other.setAttribute("aria-expanded", "false");
  for (const same of cells) if (panelOf(same) === panel) same.setAttribute("aria-expanded", "true");
  panel.scrollIntoView({ block: "nearest" });
  panel.querySelector("summary").focus({ preventScroll: true });
}

for (const link of cells) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    show(link);
  });
}

document.addEventListener("keydown", (event) => {
  const panel = event.key === "Escape" ? event.target.closest?.("#cells details[open]") : null;
  if (!panel) return;
  panel.open = false;
  const link = cells.find((each) => panelOf(each) === panel);
  for (const other of cells) other.setAttribute("aria-expanded", "false");
  link?.focus();
});
