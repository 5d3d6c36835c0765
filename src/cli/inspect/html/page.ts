/** An inspection as one page of HTML that needs nothing else: charts, and the graph to explore. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Inspected } from "../../../analyze/report/inspect.ts";
import type { InspectedLayer, Inspection } from "../../../analyze/report/schema.ts";
import { structureOf } from "../../../analyze/report/structure.ts";
import { greatest } from "../../../core/lists.ts";
import { count, plural } from "../../../core/number-text.ts";
import { htmlPage } from "../../../draw/page.ts";
import { barPlot, escapeXml, palette } from "../../../draw/plot.ts";
import { modulePath } from "../../../runs/recipes/package.node.ts";
import { amount, bytes, extents, longCount, share, stepTime } from "../units.ts";
import type { ExplorerData } from "./explorer.ts";
import { style } from "./style.ts";

/** The page. */
export function htmlOf(inspected: Inspected): string {
  const { inspection } = inspected;
  const sections = [
    summary(inspection),
    depthSection(inspected),
    kindsSection(inspection),
    alongDepth(inspection),
    memorySection(inspection),
    explorerSection(inspected),
    layersSection(inspection),
    notesSection(inspection),
  ];
  return htmlPage({ title: inspection.model, style, sections });
}

const section = (title: string, content: string): string => `<section><h2>${escapeXml(title)}</h2>${content}</section>`;

function summary({ model, source, scale, inputs, parameters, depth, cost, settings }: Inspection): string {
  const figures: readonly (readonly [string, string])[] = [
    ["parameters", count(parameters.total)],
    ["to be trained", count(parameters.trainable)],
    ["weighted layers deep", depth.weighted === null ? "-" : count(depth.weighted)],
    ["multiply-adds", amount(cost.macs)],
    [`to train (${settings.optimizer}, ${settings.precision})`, bytes(cost.trainingBytes)],
  ];
  const cards = figures.map(
    ([name, value]) => `<div class="card"><b>${value}</b><span>${escapeXml(name)}</span></div>`,
  );
  const shapes = inputs.map(({ name, dtype, shape }) => `${escapeXml(name)}: ${dtype} ${extents(shape)}`).join("; ");
  return `<header><h1>${escapeXml(model)}</h1><p>${escapeXml(source)}</p><p>${scale} scale${shapes ? `; input ${shapes}` : ""}</p><div class="cards">${cards.join("")}</div></header>`;
}

function rows(items: readonly (readonly [string, string, string])[]): string {
  const lines = items.map(
    ([name, value, meaning]) => `<tr><th>${name}</th><td class="n">${value}</td><td>${meaning}</td></tr>`,
  );
  return `<table>${lines.join("")}</table>`;
}

function depthSection({ inspection: { depth }, paths }: Inspected): string {
  const known = (value: number | null) => (value === null ? "-" : count(value));
  const items: (readonly [string, string, string])[] = [
    ["Weighted layers", known(depth.weighted), "on the longest path: the number in VGG-16 and ResNet-50"],
    ["Layers with parameters", known(depth.parameterLayers), "as Keras counts depth"],
    [
      "Credit-assignment path",
      known(depth.creditAssignmentPath),
      "events from the first modifiable weight to the output (Schmidhuber 2015)",
    ],
    ["Blocks", known(depth.blocks), "units of several weighted layers that repeat"],
  ];
  if (depth.paths)
    items.push([
      "Paths",
      longCount(depth.paths.count),
      `of ${depth.paths.min} to ${depth.paths.max} weighted layers, mean ${depth.paths.mean.toFixed(1)} (Veit et al. 2016)`,
    ]);
  if (depth.recurrent)
    items.push([
      "Recurrent depth",
      count(depth.recurrent.perStep),
      `weighted layers a step; ${count(depth.recurrent.unrolled)} unrolled over ${plural(depth.recurrent.steps, "step")} (Zhang et al. 2016)`,
    ]);
  const plot =
    paths && paths.lengths.length > 1
      ? barPlot(
          // Shares, since the counts themselves are beyond what a number holds.
          paths.lengths.map(([length, own]) => [length, Number((own * 10n ** 12n) / paths.count) / 1e12] as const),
          {
            title: "Share of the paths by their length",
            x: { label: "weighted layers on the path" },
            y: { label: "share of all paths" },
            width: 720,
            height: 280,
          },
        )
      : "";
  return section("Depth", rows(items) + plot);
}

const swatch = (i: number): string => palette[i % palette.length] as string;

function kindsSection({ byKind, parameters, cost }: Inspection): string {
  const shown = byKind.filter((kind) => kind.parameters > 0 || (kind.macs ?? 0) > 0);
  const bar = (part: number, whole: number, colour: string) =>
    `<td class="bar"><div style="width:${whole === 0 ? 0 : (100 * part) / whole}%;background:${colour}"></div></td>`;
  const lines = shown.map(
    ({ kind, parameters: own, trainable, macs }, i) =>
      `<tr><th>${escapeXml(kind)}</th><td class="n">${count(own)}</td><td class="n">${share(own, parameters.total)}</td>${bar(own, parameters.total, swatch(i))}<td class="n">${count(trainable)}</td><td class="n">${amount(macs)}</td>${bar(macs ?? 0, cost.macs ?? 0, swatch(i))}</tr>`,
  );
  return section(
    "Parameters and multiply-adds by kind of layer",
    `<table><thead><tr><th>Kind</th><th class="n">Parameters</th><th class="n">Share</th><th></th><th class="n">To be trained</th><th class="n">MACs</th><th></th></tr></thead>${lines.join("")}</table>`,
  );
}

/** Bars for each layer with parameters or products, in the order of computation. */
function alongDepth({ layers, cost }: Inspection): string {
  const drawn = layers.filter((layer) => layer.parameters > 0 || (layer.macs ?? 0) > 0);
  if (drawn.length === 0) return "";
  const drawStrip = (
    title: string,
    sizeOf: (layer: InspectedLayer) => number,
    text: (layer: InspectedLayer) => string,
    colour: string,
  ) => {
    const [width, height] = [1000, 90];
    const most = greatest(drawn.map(sizeOf), 1);
    const step = width / drawn.length;
    const bars = drawn.map((layer, i) => {
      const size = Math.max(sizeOf(layer) > 0 ? 1 : 0, (height * sizeOf(layer)) / most);
      return `<g><rect class="hit" x="${(i * step).toFixed(2)}" y="0" width="${step.toFixed(2)}" height="${height}"/><rect x="${(i * step).toFixed(2)}" y="${(height - size).toFixed(2)}" width="${Math.max(0.4, step * 0.85).toFixed(2)}" height="${size.toFixed(2)}" fill="${colour}"/><title>${escapeXml(`${layer.name}: ${text(layer)}`)}</title></g>`;
    });
    return `<figure><figcaption>${title}, at most ${text(drawn.reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a)))}</figcaption><svg class="strip" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img">${bars.join("")}</svg></figure>`;
  };
  const parameters = drawStrip(
    "Parameters of each layer",
    ({ parameters: own }) => own,
    ({ parameters: own }) => plural(own, "parameter"),
    swatch(0),
  );
  const macs =
    cost.macs === null
      ? ""
      : drawStrip(
          "Multiply-adds of each layer",
          ({ macs: own }) => own ?? 0,
          ({ macs: own }) => `${amount(own)} MACs`,
          swatch(3),
        );
  return section("Along the depth, input on the left", parameters + macs);
}

function memorySection({ cost, settings }: Inspection): string {
  if (!cost.memory || cost.trainingBytes === null) return "";
  const total = cost.trainingBytes;
  const parts = Object.entries(cost.memory);
  const stack = parts.map(
    ([name, size], i) =>
      `<div style="width:${(100 * size) / total}%;background:${swatch(i)}" title="${name} ${bytes(size)}"></div>`,
  );
  const key = parts.map(
    ([name, size], i) =>
      `<li><i style="background:${swatch(i)}"></i>${name} ${bytes(size)} (${share(size, total)})</li>`,
  );
  const figures = rows([
    ["Forward", `${amount(cost.forwardFlops)} FLOPs`, "a multiply-add is two"],
    ["Backward", `${amount(cost.backwardFlops)} FLOPs`, "gradients of the parameters to be trained"],
    ["Activations kept", bytes(cost.activationBytes), "from the forward pass for the backward pass"],
    ["Memory to predict", bytes(cost.predictionBytes), ""],
    ["Memory to train", bytes(total), `${settings.optimizer}, ${settings.precision}`],
    ...(cost.stepSeconds === null
      ? []
      : ([["Time of a step", stepTime(cost.stepSeconds), `${settings.hardware}, at 40 % of its peak`]] as const)),
  ]);
  return section(
    "Cost of this input",
    `${figures}<div class="stack">${stack.join("")}</div><ul class="key">${key.join("")}</ul>`,
  );
}

function explorerSection(inspected: Inspected): string {
  const { vertices, edges, senses } = structureOf(inspected);
  if (vertices.length === 0) return "";
  const formulas = new Map(inspected.inspection.layers.map(({ name, formula }) => [name, formula]));
  const data: ExplorerData = {
    vertices: vertices.map(({ id, block, label, type, kind, outputShape, parameters, macs, layer }) => ({
      id,
      block,
      label,
      type,
      kind,
      shape: extents(outputShape),
      parameters,
      formula: parameters > 0 && layer !== undefined ? (formulas.get(layer) ?? "") : "",
      macs: macs ?? 0,
    })),
    edges,
    senses,
  };
  // Nothing in a page of JSON may end its script element.
  const json = JSON.stringify(data).replace(/</g, "\\u003c");
  const dagre = join(dirname(createRequire(import.meta.url).resolve("@dagrejs/dagre")), "dagre.min.js");
  const scripts = [dagre, modulePath("src/cli/inspect/html/explorer")].map((path) =>
    readFileSync(path, "utf8")
      .replace(/<\/script/gi, "<\\/script")
      .replace(/^\/\/# sourceMappingURL.*$/gm, ""),
  );
  return section(
    "Structure",
    `<p class="tools"><label for="sense">Light up</label> <select id="sense"><option value="">nothing</option>${senses.map(({ name, depth }, i) => `<option value="${i}">${escapeXml(name)}: ${count(depth)}</option>`).join("")}</select> <output id="lit" for="sense"></output></p><p class="tools"><button id="open-all">Open all</button> <button id="close-all">Close all</button> <button id="fit">Fit</button> Click a box with ▸ to open it, a frame with ▾ to close it; drag to move, turn the wheel to zoom.</p><div id="explorer"></div><script type="application/json" id="structure">${json}</script><script>${scripts[0]}</script><script type="module">${scripts[1]}</script>`,
  );
}

function layersSection({ layers }: Inspection): string {
  const lines = layers.map(
    ({ name, type, role, outputShape, formula, trainable, macs, runs }) =>
      `<tr><th>${escapeXml(name)}${runs > 1 ? ` ×${runs}` : ""}</th><td>${escapeXml(type)}</td><td>${role}</td><td>${extents(outputShape)}</td><td>${formula || "0"}</td><td class="n">${count(trainable)}</td><td class="n">${amount(macs)}</td></tr>`,
  );
  return section(
    "Layers",
    `<div class="scroll"><table class="layers"><thead><tr><th>Layer</th><th>Type</th><th>Role</th><th>Output</th><th>Parameters</th><th class="n">To be trained</th><th class="n">MACs</th></tr></thead>${lines.join("")}</table></div>`,
  );
}

const notesSection = ({ notes }: Inspection): string =>
  notes.length === 0 ? "" : section("Notes", `<ul>${notes.map((note) => `<li>${escapeXml(note)}</li>`).join("")}</ul>`);
