/** The programs of docs/examples: each runs and reaches what it claims. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { startPrograms } from "./programs.ts";

const folder = "docs/examples";

/** From what to what a figure may lie. */
type Range = readonly [low: number, high: number];

/**
 * The figures that each program prints. Where it prints a baseline beside, the two ranges do not meet, so that a program which learns
 * nothing fails. What is reached depends a little on the processor; ranges leave room for that.
 */
const ranges: Readonly<Record<string, Readonly<Record<string, Range>>>> = {
  "activation-maximization.ts": {
    "mean score before": [-2, 2],
    "mean score after": [20, 50],
    "accuracy of a second network on real digits": [0.87, 0.95],
    "accuracy of a second network on generated images": [0.7, 1],
  },
  "attention-over-dates.ts": {
    "accuracy of whole dates": [0.9, 1],
    "attention to the digit that is written": [0.8, 1],
  },
  "averaged-weights.ts": {
    // The average is beside the run, and does not change it.
    "difference of the training losses": [0, 0],
    "test loss of the last weights": [0.25, 0.6],
    "test loss of the average": [0.15, 0.24],
    "accuracy of the last weights": [0.85, 0.932],
    "accuracy of the average": [0.933, 0.96],
  },
  "conditional-gan.ts": { "Fréchet distance before": [1.5, 3], "Fréchet distance after": [0, 0.4] },
  "custom-loop.ts": {
    "first loss": [0.8, 2],
    "last loss": [0, 0.5],
    "largest difference of a loss": [0, 0],
    "largest difference of a weight": [0, 0],
  },
  "diffusion.ts": {
    "distance of samples to the spiral": [0, 0.2],
    "distance of the spiral to samples": [0, 0.1],
    "distance of noise to the spiral": [0.35, 0.5],
    "distance of new points to the spiral": [0, 0.04],
  },
  "distillation.ts": {
    "accuracy of the teacher": [0.91, 0.95],
    "accuracy of the distilled student": [0.835, 0.9],
    "accuracy of the student alone": [0.75, 0.83],
  },
  "grad-cam.ts": {
    accuracy: [0.9, 1],
    "maximum on the shape": [0.5, 1],
    // 81 of 1024 pixels, seldom cut off at the edge.
    "maximum on the shape by chance": [0.03, 0.13],
  },
  "gradient-noise.ts": { "accuracy with noise": [0.6, 0.95], "accuracy without noise": [0.08, 0.13] },
  "graph-convolution.ts": { "accuracy of the network": [0.93, 1], "accuracy by friends": [0.89, 0.9] },
  "maml.ts": {
    "loss before the step, meta-learned": [1.8, 5],
    "loss after the step, meta-learned": [0.3, 1.5],
    "loss before the step, pretrained": [2, 4],
    "loss after the step, pretrained": [1.7, 4],
  },
  "normalizing-flow.ts": {
    "negative log-likelihood of the flow": [0.6, 1.1],
    "negative log-likelihood of normal distributions": [1.9, 2.1],
    // A few roundings of float32, grown by the scales of the layers.
    "largest error of inverse(forward(x))": [0, 1e-4],
  },
  "pinn.ts": {
    "relative error with the equation": [0, 0.04],
    "relative error without the equation": [0.2, 2],
  },
  // A paddle that does not follow is right in one of seven columns.
  "policy-gradient.ts": { "caught by a random policy": [0.1, 0.19], "caught by the trained policy": [0.9, 1] },
  "quantiles.ts": {
    "targets below the 0.1 quantile": [0.06, 0.16],
    "targets below the 0.5 quantile": [0.43, 0.57],
    "targets below the 0.9 quantile": [0.85, 0.95],
    "pinball loss of the network": [0.07, 0.1],
    "pinball loss of constant quantiles": [0.15, 0.19],
  },
  "sgd-beside-adam.ts": {
    "accuracy when fine-tuned": [0.74, 0.9],
    "accuracy when trained from scratch": [0.6, 0.73],
    // A tenth of the rate; at the whole rate it moves by more than its own length.
    "layers.0.weight moved by": [0.02, 0.4],
    "layers.2.weight moved by": [0.2, 0.7],
    "layers.5.weight moved by": [0.2, 0.7],
  },
  "siamese.ts": { "accuracy by embeddings": [0.86, 1], "accuracy by pixels": [0.58, 0.7] },
  "two-heads.ts": {
    "species accuracy": [0.8, 1],
    "species accuracy of the most common": [0.333, 0.333],
    "width error in cm": [0.08, 0.25],
    "width error of the mean in cm": [0.65, 0.67],
  },
  "two-inputs.ts": {
    "accuracy with both inputs": [0.84, 1],
    "accuracy with the image": [0.55, 0.68],
    "accuracy with the table": [0.65, 0.78],
  },
  "u-net.ts": { "Dice score of the U-Net": [0.85, 1], "Dice score of bright pixels": [0.4, 0.55] },
  "weighted-autoencoder.ts": {
    "error of common samples": [0, 0.05],
    "error of common samples, weighted": [0.06, 0.4],
    "error of rare samples": [1, 2.5],
    "error of rare samples, weighted": [0, 0.6],
  },
  "wgan-gp.ts": {
    "generated points near a mode": [0.7, 1],
    "points of one Gaussian near a mode": [0.07, 0.16],
    "modes reached": [8, 8],
    // What the penalty draws it to.
    "norm of the critic's gradient": [0.9, 1.1],
  },
};

/** The lines `name: number` of what a program printed. */
const figuresOf = (printed: string): Record<string, number> =>
  Object.fromEntries(
    printed.split("\n").flatMap((line) => {
      const [, name, number] = /^(.+): (\S+)$/.exec(line) ?? [];
      return name !== undefined ? [[name, Number(number)] as const] : [];
    }),
  );

let printedBy: (path: string) => Promise<string>;
beforeAll(() => {
  printedBy = startPrograms(Object.keys(ranges).map((file) => join(folder, file)));
});

test.each(Object.entries(ranges))("%s", async (file, expected) => {
  const figures = figuresOf(await printedBy(join(folder, file)));
  expect(Object.keys(figures)).toEqual(Object.keys(expected));
  const outside = Object.entries(expected).flatMap(([name, [low, high]]) => {
    const figure = figures[name] ?? Number.NaN;
    return low <= figure && figure <= high ? [] : [`${name}: ${figure}, expected ${low} to ${high}`];
  });
  expect(outside).toEqual([]);
});

test("every program is run here, and listed with what it shows", () => {
  const programs = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  expect(programs).toEqual(Object.keys(ranges).sort());
  const rows = [
    ...readFileSync(join(folder, "README.md"), "utf8").matchAll(/^\| \[(.+)\]\((.+)\) \| (.+) \| (.+) \|$/gm),
  ];
  expect(rows.map(([, name]) => name)).toEqual(programs);
  for (const [, name, target] of rows) expect(target).toBe(name);
});

test("every program says first what it shows and where that comes from", () => {
  for (const file of Object.keys(ranges)) {
    const comment = /^\/\*\*\n( \* .+\n)+ \*\/\nimport /.exec(readFileSync(join(folder, file), "utf8"))?.[0];
    expect(comment, file).toBeDefined();
  }
});
