/** Makes the data of the templates of `sardonyx new`: fruits by their measures, and images of shapes. node --import tsx scripts/make-templates.ts */
import { mkdirSync, writeFileSync } from "node:fs";
import { encodePng, keyOf, Random, Tensor } from "../src/index.ts";

const random = new Random(keyOf(1));
const within = (low: number, high: number) => Math.round(random.uniform(low, high));
const oneOf = <T>(...all: readonly T[]): T => all[within(0, all.length - 1)] as T;

/** Weight in grams, diameter in millimetres and colours of fruits; some values are missing. */
const fruits = {
  apple: () => [within(120, 220), within(62, 90), oneOf("red", "green", "yellow")],
  lemon: () => [within(80, 150), within(48, 66), oneOf("yellow", "yellow", "green")],
  plum: () => [within(30, 80), within(32, 52), oneOf("purple", "red", "yellow")],
} as const;
const names = Object.keys(fruits) as (keyof typeof fruits)[];
const rows = Array.from({ length: 180 }, (_, i) => {
  const name = names[i % names.length] as keyof typeof fruits;
  return [...fruits[name]().map((cell) => (random.uniform() < 0.04 ? "" : cell)), name].join(",");
});
writeFileSync("templates/tabular/data.csv", `weight_g,diameter_mm,colour,fruit\n${rows.join("\n")}\n`);

/** Pixels of a side. */
const side = 32;

/** Whether a place, from its middle in units of its size, is within a shape. */
const shapes = {
  circle: (x: number, y: number) => x * x + y * y < 1,
  square: (x: number, y: number) => Math.abs(x) < 0.9 && Math.abs(y) < 0.9,
  triangle: (x: number, y: number) => y < 0.9 && y > 2 * Math.abs(x) - 0.9,
} as const;

for (const [name, isIn] of Object.entries(shapes)) {
  mkdirSync(`templates/images/images/${name}`, { recursive: true });
  for (let number = 1; number <= 24; number++) {
    const [size, left, top] = [random.uniform(6, 11), random.uniform(12, 20), random.uniform(12, 20)];
    const colour = (low: number, high: number) => Array.from({ length: 3 }, () => within(low, high));
    const [ink, ground] = [colour(0, 110), colour(160, 255)];
    const pixels = new Uint8Array(3 * side * side);
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        for (let channel = 0; channel < 3; channel++)
          pixels[(channel * side + y) * side + x] =
            (isIn((x - left) / size, (y - top) / size) ? ink : ground)[channel] ?? 0;
    const file = `templates/images/images/${name}/${String(number).padStart(2, "0")}.png`;
    writeFileSync(file, encodePng(new Tensor("uint8", [3, side, side], pixels)));
  }
}
