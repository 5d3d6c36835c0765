/**
 * Makes a table with an image in each row: a price is twice the size, 40 more in one of three towns, 80 more where the photo shows a circle and not a
 * square, and 6 for each pixel of its radius, with noise of deviation 5. One photo in 97 is broken, one row in 41 has none.
 *
 * node scripts/make-table-with-images.mjs FOLDER [--rows 800]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: "string", default: "800" } },
});
const [out] = positionals;
if (out === undefined) throw new Error("name the folder: node scripts/make-table-with-images.mjs FOLDER");
const { encodePng, keyOf, Random, Tensor } = await import("../dist/src/index.js");

const side = 40;
const random = new Random(keyOf(1));
mkdirSync(join(out, "photos"), { recursive: true });
const lines = ["photo,size,town,price"];
for (let row = 0; row < Number(values.rows); row++) {
  const isCircle = random.integer(2) === 0;
  const radius = 6 + random.integer(7);
  const [x, y] = [radius, radius].map((own) => own + random.integer(side - 2 * own));
  const [ground, ink] = [random.integer(60), 120 + random.integer(80)];
  const half = (radius * Math.sqrt(Math.PI)) / 2;
  const pixels = Uint8Array.from({ length: side * side }, (_, at) => {
    const [dx, dy] = [(at % side) - x, Math.floor(at / side) - y];
    const isInside = isCircle ? dx * dx + dy * dy < radius * radius : Math.max(Math.abs(dx), Math.abs(dy)) < half;
    return Math.min(255, ground + (isInside ? ink : 0) + random.integer(40));
  });
  const name = `photos/${row}.png`;
  writeFileSync(join(out, name), row % 97 === 0 ? "no image" : encodePng(new Tensor("uint8", [side, side], pixels)));
  const [size, town] = [40 + random.integer(100), ["Ulm", "Bonn", "Rome"][random.integer(3)]];
  const price = 2 * size + (town === "Rome" ? 40 : 0) + (isCircle ? 80 : 0) + 6 * radius + 5 * random.normal();
  lines.push(`${row % 41 === 0 ? "" : name},${size},${town},${price.toFixed(1)}`);
}
writeFileSync(join(out, "houses.csv"), lines.join("\n"));
console.log(join(out, "houses.csv"));
