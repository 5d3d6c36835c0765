/**
 * Compares pretrained networks with what learns from nothing, over five seeds, and writes the tables of docs/recipes.md and its Chinese
 * twin: node scripts/measure-transfer.mjs [images METHOD SHOTS … | audio FOLDER METHOD … | layers | cache]   (after `npm run build`, with the packages of test/published)
 * Accuracies are kept in docs/transfer.json, so that one method can be measured anew; without arguments the tables alone are written.
 * Settings are chosen on validation data by the draw of another seed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const library = await import(join(root, "dist/src/index.js"));
const { confidenceInterval } = library;
const file = join(root, "docs/transfer.json");
const kept = JSON.parse(readFileSync(file, "utf8"));
const [subject, ...wanted] = process.argv.slice(2);

/** Keeps what was measured of a row, at once. */
function keep(part, method, column, found) {
  kept[part] ??= {};
  kept[part][method] ??= {};
  kept[part][method][column] = found;
  // Numbers of a row on one line.
  const inLine = (_, numbers) => `[${numbers.split(/\s+/).join(" ")}]`;
  writeFileSync(file, `${JSON.stringify(kept, null, 2).replace(/\[\s+([-\d.,e\s]+?)\s+\]/g, inLine)}\n`);
  console.log(`${part} ${method} ${column}: ${JSON.stringify(found)}`);
}

if (subject === "images") {
  const { measureImages } = await import("./transfer/images.mjs");
  await measureImages(wanted, kept.images, (...found) => keep("images", ...found));
}
if (subject === "audio") {
  const { measureAudio } = await import("./transfer/audio.mjs");
  await measureAudio(wanted, (...found) => keep("audio", ...found));
}
if (subject === "layers") {
  const { measureLayers } = await import("./transfer/layers.mjs");
  await measureLayers((...found) => keep("layers", ...found));
}
if (subject === "cache") {
  const { measureCache } = await import("./transfer/cache.mjs");
  keep("images", "cache", "100", await measureCache());
}

const percent = (value) => (100 * value).toFixed(1);
/** The mean with its interval, and how many seeds where they are not five. */
function cell(found) {
  if (!found) return "-";
  const { accuracies, seeds: drawn } = found;
  if (accuracies.length < 2) return percent(accuracies[0]) + (drawn === "none" ? "" : " (1 seed)");
  const { mean, low } = confidenceInterval(accuracies);
  const seeds = accuracies.length === 5 ? "" : `, ${accuracies.length} seeds`;
  return `${percent(mean)} ± ${percent(mean - low)}${seeds}`;
}

/** Heads of the tables and labels of their rows, in English and Chinese. */
const labels = {
  layers: {
    columns: ["1", "2", "4"],
    heads: { "": "| Layer | 1 region | 2 x 2 | 4 x 4 |", ".zh-CN": "| 层 | 1 个区域 | 2 x 2 | 4 x 4 |" },
    rows: Object.fromEntries(
      [3, 6, 10, 13].map((block) => {
        const name = `block_${block}_expand_relu`;
        return [name, [`\`${name}\``, `\`${name}\``]];
      }),
    ),
  },
  images: {
    columns: ["20", "100", "1000"],
    heads: { "": "| Accuracy, % | 20 | 100 | 1,000 |", ".zh-CN": "| 准确率，% | 20 | 100 | 1,000 |" },
    rows: {
      frozen: ["pretrained, frozen, a new head", "预训练，冻结，新的头"],
      unfrozen: ["pretrained, then two blocks unfrozen", "预训练，随后解冻两个块"],
      random: ["the same network from random weights", "同一网络，随机权重开始"],
      small: ["a small network of convolutions", "小型卷积网络"],
      linear: ["a linear layer on the pixels", "像素上的线性层"],
      nearest: ["the nearest neighbour by pixels", "按像素的最近邻"],
    },
  },
  audio: {
    columns: ["all"],
    heads: { "": "| | Accuracy, % |", ".zh-CN": "| | 准确率，% |" },
    rows: {
      frozen: ["pretrained, frozen, a new head", "预训练，冻结，新的头"],
      neighbour: ["the nearest neighbour by the same features", "同样特征的最近邻"],
      scratch: ["`keywords`, from nothing", "`keywords`，从零开始"],
    },
  },
};

for (const [part, { columns, heads, rows }] of Object.entries(labels))
  for (const [i, [suffix, head]] of Object.entries(heads).entries()) {
    const page = join(root, `docs/recipes${suffix}.md`);
    const marks = [`<!-- transfer-${part} -->\n`, `<!-- /transfer-${part} -->`];
    const [before, rest] = readFileSync(page, "utf8").split(marks[0]);
    if (rest === undefined) continue;
    const [, after] = rest.split(marks[1]);
    const lines = Object.entries(rows).map(
      ([method, label]) =>
        `| ${label[i]} | ${columns.map((column) => cell(kept[part]?.[method]?.[column])).join(" | ")} |`,
    );
    const table = [head, `| --- |${" ---: |".repeat(columns.length)}`, ...lines].join("\n");
    writeFileSync(page, `${before}${marks[0]}${table}\n${marks[1]}${after}`);
  }
