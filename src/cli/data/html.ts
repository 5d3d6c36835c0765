/** A profile of data as one page of HTML that needs nothing else, no script either. */

import { byteText, count, percent, plural } from "../../core/number-text.ts";
import { inOneLine } from "../../core/printable.ts";
import type {
  BoxesProfile,
  ColumnProfile,
  DataProfile,
  FilesProfile,
  SampleImage,
  TargetProfile,
} from "../../data/profile/profile.ts";
import { htmlPage } from "../../draw/page.ts";
import { style } from "../inspect/html/style.ts";
import { cut } from "../text.ts";
import { associationMap, countBars, histogramChart, shownText } from "./charts.ts";
import { boxesText, figureRows, missingText, scoreText, shortNumber } from "./values.ts";

/** Columns whose charts are drawn, and rows of other tables. */
const [mostColumns, mostRows] = [300, 50];

const ownStyle = `
.soft { color: var(--soft); font-size: 13px; margin: 4px 0; }
.findings { list-style: none; padding: 0; }
.findings li { padding: 6px 10px; margin: 4px 0; border-left: 4px solid var(--line); background: var(--raised); overflow-wrap: anywhere; }
.findings .problem { border-color: #c0392b; }
.findings .hint { border-color: #e69f00; }
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(310px, 1fr)); gap: 14px; }
.column { border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; min-width: 0; }
.column h3 { margin: 0; font-size: 15px; overflow-wrap: anywhere; }
.column h3 span { float: right; font-weight: 400; font-size: 12px; padding: 1px 8px; border-radius: 10px; background: var(--raised); border: 1px solid var(--line); margin-left: 8px; }
.column table { font-size: 13px; }
.column td, .column th { padding: 2px 8px 2px 0; border: 0; vertical-align: top; }
.column table:not(.counts) th { color: var(--soft); width: 1%; }
.column .bar { width: 35%; }
.counts th { max-width: 170px; overflow: hidden; text-overflow: ellipsis; }
svg.chart { width: 100%; height: auto; margin: 8px 0 2px; border-radius: 0; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
svg .in { font-size: 10px; }
.images { display: flex; flex-wrap: wrap; gap: 10px; }
.images figure { margin: 0; width: 116px; }
.images .drawn { position: relative; display: table; margin: 0 auto; }
.images .drawn i { position: absolute; border: 1px solid #e6007e; box-shadow: 0 0 0 1px #fff8; box-sizing: border-box; }
.images img { display: block; max-width: 112px; max-height: 112px; margin: 0 auto; }
.images figcaption { text-align: center; font-size: 12px; overflow-wrap: anywhere; }
.long td { overflow-wrap: anywhere; }
.long td:first-child { min-width: 160px; }
`;

const section = (title: string, content: string): string =>
  content === "" ? "" : `<section><h2>${title}</h2>${content}</section>`;

function summary({ path, kind, bytes, notes, table, files, boxes, target, split }: DataProfile): string {
  const cards: (readonly [string, string])[] = table
    ? [
        ["rows", count(table.rows)],
        ["columns", count(table.columns.length)],
        ["complete rows", percent(table.completeShare)],
        ["duplicated rows", count(table.duplicatedRows)],
      ]
    : [
        [kind, count(files?.count ?? 0)],
        ["cannot be read", count(files?.broken.length ?? 0)],
        ["of the same bytes", count(files?.duplicated.length ?? 0)],
      ];
  if (boxes) cards.push(["boxes", count(boxes.count)]);
  if (target?.classes) cards.push(["classes", count(target.classes.length)]);
  const shown = [...cards, ["size", byteText(bytes)] as const].map(
    ([name, value]) => `<div class="card"><b>${value}</b><span>${name}</span></div>`,
  );
  const by = split.by === "random" ? "at random" : `by ${split.by}`;
  return `<header><h1>${shownText(path, 200)}</h1>${notes.map((note) => `<p>${shownText(note, 300)}</p>`).join("")}<div class="cards">${shown.join("")}</div><p style="margin-top:14px">Split ${by}: ${shownText(split.why, 400)}</p></header>`;
}

const findingsSection = ({ findings }: DataProfile): string =>
  section(
    "Findings",
    findings.length === 0
      ? "<p>Nothing remarkable was found.</p>"
      : `<ul class="findings">${findings.map(({ weight, text }) => `<li class="${weight}">${shownText(text, 1000)}</li>`).join("")}</ul>`,
  );

function targetSection(target: TargetProfile | undefined): string {
  if (!target) return "";
  const { classes = [], predictors, name, task } = target;
  const total = classes.reduce((sum, { count: own }) => sum + own, 0);
  const bars = classes.length === 0 ? "" : countBars(classes, total, 30);
  const rows = predictors
    .slice(0, mostRows)
    .map(
      ({ column, score, baseline, leaks }) =>
        `<tr><th>${shownText(column)}</th><td class="n">${scoreText(target, score)}</td>${task === "classes" ? `<td class="n">${scoreText(target, baseline)}</td>` : ""}<td>${leaks ? "<b>probably leaks the target</b>" : ""}</td></tr>`,
    );
  const baseline = task === "classes" ? '<th class="n">Most frequent class</th>' : "";
  const table =
    rows.length === 0
      ? ""
      : `<h3>What each column alone predicts</h3><table><thead><tr><th>Column</th><th class="n">On held-out rows</th>${baseline}<th></th></tr></thead>${rows.join("")}</table>`;
  return section(`Target: ${shownText(name)}`, bars + table);
}

function columnCard(column: ColumnProfile): string {
  const { name, kind, why, numbers, top, texts, distinct, rows } = column;
  const figures = [
    ["missing", missingText(column)] as const,
    ["distinct", count(distinct)] as const,
    ...(numbers ? figureRows(column, numbers) : []),
    ...(texts
      ? ([
          ["words", shortNumber(texts.words)],
          ["characters", `${shortNumber(texts.characters)}, at most ${count(texts.longest)}`],
        ] as const)
      : []),
  ];
  const lines = figures.map(([head, value]) => `<tr><th>${head}</th><td>${shownText(value)}</td></tr>`).join("");
  const chart = numbers ? histogramChart(column, numbers) : top ? countBars(top, rows, 8, distinct) : "";
  return `<div class="column"><h3>${shownText(name, 80)}<span>${kind}</span></h3><p class="soft">${shownText(why, 400)}</p>${chart}<table>${lines}</table></div>`;
}

function columnsSection({ table }: DataProfile): string {
  if (!table) return "";
  const more = table.columns.length - mostColumns;
  return section(
    "Columns",
    `<div class="columns">${table.columns.slice(0, mostColumns).map(columnCard).join("")}</div>${more > 0 ? `<p class="soft">and ${plural(more, "column")} more, all of which --json lists</p>` : ""}`,
  );
}

function associationsSection({ table }: DataProfile): string {
  if (!table || table.associations.names.length < 2) return "";
  return section(
    "Associations",
    `${associationMap(table.associations)}<p class="soft">Numbers: Pearson's correlation. Categories: Cramér's V without its bias. A number and a category: the correlation ratio. Red goes together, blue against each other.</p>`,
  );
}

/** An image with its boxes drawn on it. */
function sampleFigure({ path, label, image, boxes = [] }: SampleImage): string {
  const share = (value: number) => `${(100 * value).toFixed(2)}%`;
  const drawn = boxes.map(
    ([left, top, right, bottom]) =>
      `<i style="left:${share(left)};top:${share(top)};width:${share(right - left)};height:${share(bottom - top)}"></i>`,
  );
  return `<figure><span class="drawn"><img src="${shownText(image, 1e6)}" alt="${shownText(path)}" title="${shownText(path, 200)}">${drawn.join("")}</span><figcaption>${shownText(label, 30)}</figcaption></figure>`;
}

function boxesSection(boxes: BoxesProfile | undefined): string {
  if (!boxes) return "";
  const { form, count: all, crowds, classes, images, leftOut, parts } = boxes;
  const rows = classes
    .slice(0, mostColumns)
    .map(
      ({ value, count: own, images: having, medianShare }) =>
        `<tr><th>${shownText(value)}</th><td class="n">${count(own)}</td><td class="n">${percent(own / (all - crowds))}</td><td class="n">${count(having)}</td><td class="n">${percent(medianShare)}</td></tr>`,
    );
  const more = classes.length - rows.length;
  const table = `<table><thead><tr><th>Class</th><th class="n">Boxes</th><th class="n">Share</th><th class="n">Images</th><th class="n">Median area</th></tr></thead>${rows.join("")}</table>${more > 0 ? `<p class="soft">and ${plural(more, "class", "classes")} more</p>` : ""}`;
  const bars = countBars(
    images,
    images.reduce((sum, { count: own }) => sum + own, 0),
  );
  const told = parts.map(
    ({ part, images: own, boxes: having }) =>
      `<p>Part ${part}: ${plural(own, "image")}, ${plural(having, "box", "boxes")}</p>`,
  );
  const reasons = leftOut.map(
    ({ reason, count: own, places }) =>
      `<tr><td>${shownText(reason, 200)}</td><td class="n">${count(own)}</td><td>${shownText(places.join("; "), 400)}</td></tr>`,
  );
  return [
    section("Boxes", `<p>${shownText(form, 100)}: ${boxesText(boxes)}</p>${table}${told.join("")}`),
    section("Boxes an image", bars),
    section("Left out", reasons.length === 0 ? "" : `<table class="long">${reasons.join("")}</table>`),
  ].join("");
}

function filesSection(files: FilesProfile | undefined): string {
  if (!files) return "";
  const cards = files.figures.map(({ name, numbers }) => {
    const lines = figureRows({ kind: "number" }, numbers).map(
      ([head, value]) => `<tr><th>${head}</th><td>${shownText(value)}</td></tr>`,
    );
    return `<div class="column"><h3>${shownText(name)}</h3>${histogramChart({ kind: "number" }, numbers)}<table>${lines.join("")}</table></div>`;
  });
  const read = files.forms.reduce((sum, { count: own }) => sum + own, 0);
  const images = files.samples.map(sampleFigure);
  const broken = files.broken
    .slice(0, mostRows)
    .map(({ path, reason }) => `<tr><td>${shownText(path, 120)}</td><td>${shownText(reason, 300)}</td></tr>`);
  return [
    section("Samples", images.length === 0 ? "" : `<div class="images">${images.join("")}</div>`),
    section("Figures", `<div class="columns">${cards.join("")}</div>`),
    section("Forms", countBars(files.forms, read, 20)),
    section("Files that cannot be read", broken.length === 0 ? "" : `<table class="long">${broken.join("")}</table>`),
  ].join("");
}

function likenessSection({ nearDuplicates }: DataProfile): string {
  const rows = nearDuplicates
    .slice(0, mostRows)
    .map(
      ({ items, similarity, conflicting }) =>
        `<tr><td>${shownText(items[0], 120)}</td><td>${shownText(items[1], 120)}</td><td class="n">${percent(similarity)}</td><td>${conflicting ? "different classes" : ""}</td></tr>`,
    );
  return section("Near-duplicates", rows.length === 0 ? "" : `<table class="long">${rows.join("")}</table>`);
}

/** The page. */
export function profilePage(profile: DataProfile): string {
  const sections = [
    summary(profile),
    findingsSection(profile),
    profile.boxes ? boxesSection(profile.boxes) : targetSection(profile.target),
    filesSection(profile.files),
    columnsSection(profile),
    associationsSection(profile),
    likenessSection(profile),
  ];
  return htmlPage({ title: inOneLine(cut(profile.path, 100)), style: `${style}${ownStyle}`, sections });
}
