/** A table with an image in each row, for tests: what a number is depends on a column and on the image. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyOf, Random } from "../../../core/random.ts";
import { Tensor } from "../../../core/tensor.ts";
import { encodePng } from "../../../draw/png.ts";

/** Rows and columns of pixels. */
const side = 32;

/** Which rows lack an image. */
export interface Lacking {
  /** Whether the file of a row is no image. */
  broken?(row: number): boolean;
  /** Whether a row names none. */
  absent?(row: number): boolean;
}

/** A circle or a square of the same area and ink, somewhere on a ground of noise, as bytes. */
function drawShape(isCircle: boolean, random: Random): Tensor<"uint8"> {
  const radius = 6 + random.integer(4);
  const [x, y] = [radius, radius].map((own) => own + random.integer(side - 2 * own)) as [number, number];
  const half = (radius * Math.sqrt(Math.PI)) / 2;
  const bytes = Uint8Array.from({ length: side * side }, (_, at) => {
    const [dx, dy] = [(at % side) - x, Math.floor(at / side) - y];
    const isInside = isCircle ? dx * dx + dy * dy < radius * radius : Math.max(Math.abs(dx), Math.abs(dy)) < half;
    return (isInside ? 150 : 0) + random.integer(60);
  });
  return new Tensor("uint8", [side, side], bytes);
}

/** Writes `houses.csv` with the columns photo, size, town and price, and its photos; a circle adds 100 to a price of twice the size. */
export function drawHouses(folder: string, rows: number, { broken, absent }: Lacking = {}): string {
  mkdirSync(join(folder, "photos"), { recursive: true });
  const random = new Random(keyOf(1));
  const lines = Array.from({ length: rows }, (_, row) => {
    const isCircle = random.integer(2) === 0;
    const [name, image] = [`photos/${row}.png`, drawShape(isCircle, random)];
    writeFileSync(join(folder, name), broken?.(row) ? "no image" : encodePng(image));
    const [size, town] = [40 + random.integer(60), ["Ulm", "Bonn"][row % 2]];
    return `${absent?.(row) ? "" : name},${size},${town},${2 * size + (isCircle ? 100 : 0) + random.uniform(-3, 3)}`;
  });
  const path = join(folder, "houses.csv");
  writeFileSync(path, ["photo,size,town,price", ...lines].join("\n"));
  return path;
}
