/** What the scripts share that record TensorFlow.js: the library, numbers that depend on names alone, how outputs are written. */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Installed by: npm install --prefix bench */
export const tf = createRequire(new URL("../bench/package.json", import.meta.url))("@tensorflow/tfjs");
await tf.setBackend("cpu");

/** Numbers in [0, 1) that depend on the name and their position alone, as in src/models/testing/fill.ts. */
export function uniform(name, count) {
  let seed = 0;
  for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) >>> 0;
  return Float32Array.from({ length: count }, (_, i) => {
    let x = Math.imul(i + seed, 0x9e3779b1);
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    return ((x ^ (x >>> 13)) >>> 0) / 2 ** 32;
  });
}

export const size = (shape) => shape.reduce((product, extent) => product * extent, 1);

/** Elements of a weight: variances are positive, everything else lies in [-1, 1). */
export const weightOf = (name, shape) =>
  uniform(name, size(shape)).map((u) => (name.endsWith("variance") ? 0.5 + u : 2 * u - 1));

/** Input number i, in [-1, 1), or of whole numbers below a limit. */
export const inputOf = (i, shape, limit, dtype) =>
  tf.tensor(
    uniform(`input ${i}`, size(shape)).map((u) => (limit === undefined ? 2 * u - 1 : Math.floor(u * limit))),
    shape,
    dtype,
  );

/** An output to seven digits, which is what float32 has. */
export const plain = (output) => ({
  shape: output.shape,
  data: Array.from(output.dataSync(), (number) => Number(Number(number).toPrecision(7))),
});

/** Writes test/fixtures/tfjs/<file>, a line for each case. */
export function write(file, script, cases) {
  const header = { script: `scripts/${script}`, tfjs: tf.version.tfjs };
  const lines = Object.entries(cases).map(([name, own]) => `    ${JSON.stringify(name)}: ${JSON.stringify(own)}`);
  writeFileSync(
    new URL(`../test/fixtures/tfjs/${file}`, import.meta.url),
    `{\n  "header": ${JSON.stringify(header)},\n  "cases": {\n${lines.join(",\n")}\n  }\n}\n`,
  );
}
