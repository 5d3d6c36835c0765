/**
 * How time and memory of a training step grow: node scripts/measure-growth.mjs [--write] [gpt] [convolutions]. A GPT and a convolutional network are made larger along one
 * axis at a time. Each size runs in a process of its own. Prints a table for each network; `--write` puts both into docs/growth.md, and their curves
 * into docs/figures/.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { peakBytes } from "./resident-memory.mjs";

const dist = new URL("../dist/src/", import.meta.url);
const load = (path) => import(new URL(path, dist).href);

/** Networks: sizes that stay where others grow, and what each axis goes through. */
const networks = {
  gpt: {
    title: "A GPT",
    base: { batch: 4, tokens: 128, width: 256, layers: 4, vocabulary: 2000 },
    axes: {
      batch: [1, 2, 4, 8, 16],
      tokens: [64, 128, 256, 512, 1024],
      width: [64, 128, 256, 512, 1024],
      layers: [1, 2, 4, 8, 16],
      vocabulary: [500, 2000, 8000, 32000],
    },
  },
  convolutions: {
    title: "A convolutional network",
    base: { batch: 16, extent: 32, width: 64, layers: 4, classes: 10 },
    axes: {
      batch: [4, 8, 16, 32, 64],
      extent: [8, 16, 32, 64],
      width: [16, 32, 64, 128, 256],
      layers: [1, 2, 4, 8, 16],
      classes: [10, 100, 1000, 10000],
    },
  },
};

const filled = (Tensor, dtype, shape, of) => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const make = dtype === "float32" ? Float32Array : Int32Array;
  return new Tensor(
    dtype,
    shape,
    new make(size).map((_, i) => of(i)),
  );
};

/** A model with a batch of made-up data. */
async function given(network, sizes) {
  const { models, conv2d, batchNorm, activation, globalAveragePool, dense, sequential, Tensor } =
    await load("index.js");
  if (network === "gpt") {
    const { batch, tokens, width, layers, vocabulary } = sizes;
    const heads = width / 64;
    const model = models.gpt2Architectures.GPT2LMHeadModel({
      sizes: { vocabulary, width, layers, heads, feedForward: 4 * width, positions: tokens },
    });
    const ids = filled(Tensor, "int32", [batch, tokens], (i) => (i * 7919) % vocabulary);
    return { model, batch: { x: ids, y: ids } };
  }
  const { batch, extent, width, layers, classes } = sizes;
  const block = () => [conv2d(width, 3, { padding: "same", bias: false }), batchNorm(), activation("relu")];
  const blocks = Array.from({ length: layers }, block).flat();
  return {
    model: sequential([...blocks, globalAveragePool(), dense(classes)]),
    batch: {
      x: filled(Tensor, "float32", [batch, width, extent, extent], (i) => Math.sin(i)),
      y: filled(Tensor, "int32", [batch], (i) => i % classes),
    },
  };
}

/** In the process of a size: prints the milliseconds of a step, the median of at least 5 and 2 seconds, and the bytes that it added to the process. */
async function measure(network, sizes) {
  const { adam, crossEntropy, Trainer } = await load("index.js");
  const { model, batch } = await given(network, sizes);
  const before = process.memoryUsage.rss();
  const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam() });
  await trainer.step(batch);
  await trainer.step(batch);
  const times = [];
  for (let spent = 0; times.length < 5 || spent < 2000; ) {
    const began = performance.now();
    await trainer.step(batch);
    times.push(performance.now() - began);
    spent += times.at(-1);
  }
  times.sort((a, b) => a - b);
  const parameters = [...model.parameters().values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  console.log(JSON.stringify({ milliseconds: times[times.length >> 1], bytes: peakBytes() - before, parameters }));
}

function measured(network, sizes) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--no-warnings", fileURLToPath(import.meta.url), "--size", network, JSON.stringify(sizes)],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${network} ${JSON.stringify(sizes)}: ${stderr}`);
  return JSON.parse(stdout);
}

/** The slope of the line through the upper half of the points, by least squares of logarithms: 1 doubles with its axis, 2 makes four times. */
function slope(points) {
  const upper = points.slice(points.length >> 1).map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mean = (at) => upper.reduce((sum, point) => sum + point[at], 0) / upper.length;
  const [mx, my] = [mean(0), mean(1)];
  const products = upper.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return products / upper.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

const digits = (value) => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));

async function grow(network) {
  const { base, axes } = networks[network];
  const lines = [];
  const curves = { time: [], memory: [] };
  for (const [axis, values] of Object.entries(axes)) {
    const results = values.map((value) => {
      process.stderr.write(`${network}: ${axis} ${value}\n`);
      return [value, measured(network, { ...base, [axis]: value })];
    });
    const of = (pick) => results.map(([value, result]) => [value, pick(result)]);
    const [time, memory] = [of(({ milliseconds }) => milliseconds), of(({ bytes }) => bytes / 2 ** 20)];
    const growth = (list) => `${list.map(([, y]) => digits(y)).join(", ")} | ${slope(list).toFixed(2)}`;
    const parameters = results.map(([, result]) => digits(result.parameters / 1e6)).join(", ");
    lines.push(`| ${axis} ${values.join(", ")} | ${parameters} | ${growth(time)} | ${growth(memory)} |`);
    const relative = (list) => list.map(([x, y]) => [x / base[axis], y]);
    curves.time.push({ name: axis, points: relative(time) });
    curves.memory.push({ name: axis, points: relative(memory) });
  }
  const fixed = Object.entries(base).map(([name, value]) => `${name} ${value}`);
  const head = [
    `${networks[network].title}; what does not grow: ${fixed.join(", ")}.`,
    "",
    "| Axis | Parameters, M | Step, ms | Slope | Memory, MiB | Slope |",
    "| --- | --- | --- | ---: | --- | ---: |",
  ];
  return { table: [...head, ...lines].join("\n"), curves };
}

async function main() {
  const page = new URL("../docs/growth.md", import.meta.url);
  const { linePlot } = await load("draw/index.js");
  const chosen = Object.keys(networks).filter((name) => process.argv.includes(name));
  for (const network of chosen.length > 0 ? chosen : Object.keys(networks)) {
    const { table, curves } = await grow(network);
    console.log(`${table}\n`);
    if (!process.argv.includes("--write")) continue;
    const marks = [`<!-- ${network} -->`, `<!-- end of ${network} -->`];
    const [before, rest] = readFileSync(page, "utf8").split(marks[0]);
    writeFileSync(page, `${before}${marks[0]}\n\n${table}\n\n${marks[1]}${rest.split(marks[1])[1]}`);
    for (const [what, label] of [
      ["time", "milliseconds"],
      ["memory", "MiB"],
    ])
      writeFileSync(
        new URL(`../docs/figures/growth-${network}-${what}.svg`, import.meta.url),
        linePlot(curves[what], {
          title: `${networks[network].title}: ${what} of a training step`,
          x: { label: "times the usual size", scale: "log" },
          y: { label, scale: "log" },
        }),
      );
  }
}

const [command, network, sizes] = process.argv.slice(2);
if (command === "--size") await measure(network, JSON.parse(sizes));
else await main();
