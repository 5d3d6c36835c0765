/** Images by path in a table: which are read, what they become, how rows are parted by them, what networks see of them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import { fitImages, meansOfParts } from "../../data/tables/rows/image-column.ts";
import { encodedWidth, encodeRows, type FieldEncoding } from "../../data/tables/rows/row-encoding.ts";
import { withImages } from "../../data/tables/rows/row-images.node.ts";
import type { Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { imagesOf, partsOfImages } from "../../models/tables/table-columns.ts";
import { TableNetwork } from "../../models/tables/table-network.ts";
import { saveParameters } from "../../train/callbacks/saved-parameters.ts";
import { fit } from "../../train/fit.ts";
import { adam } from "../../train/optimizers/index.ts";
import { foldedObjective } from "../folds/folded-objective.ts";
import { recipeForData } from "../kinds/recipe-for-data.node.ts";
import { denseFeatures } from "./dense-features.ts";
import { loadTable } from "./load-table.node.ts";
import { columnsOf } from "./table-model.ts";
import { drawHouses } from "./testing/draw-shapes.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-table-images-"));
afterAll(() => rmSync(folder, { recursive: true }));

const load = (path: string) =>
  loadTable({
    ...{ path, target: "price", task: "auto", ignore: [], group: "", time: "", folds: 8, seed: 0, limit: undefined },
  } as const);

const extents = { height: 16, width: 16, channels: 1 } as const;
/** An image whose left half is dark and right half bright. */
const halves = Float32Array.from({ length: 256 }, (_, i) => (i % 16 < 8 ? 0 : 0.5));
const full = new Float32Array(256).fill(1);
const field: FieldEncoding = {
  name: "photo",
  kind: "image",
  ...extents,
  ...fitImages([halves, full], extents),
  hasMissing: true,
};

describe("an image as numbers", () => {
  test("what training images show: the spread of pixels and of parts", () => {
    expect(Array.from(meansOfParts(halves, extents))).toEqual(
      Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? 0 : 0.5)),
    );
    const { pixels, parts } = fitImages([halves, full], extents);
    // Of 512 pixels a quarter is 0, a quarter 0.5, half 1.
    expect(pixels).toEqual([{ mean: 0.625, deviation: expect.closeTo(Math.sqrt(0.171875), 6) }]);
    expect(parts[0]).toEqual({ mean: 0.5, deviation: 0.5 });
    expect(parts[3]).toEqual({ mean: 0.75, deviation: 0.25 });
    // Of one image no part varies.
    expect(fitImages([full], extents)).toMatchObject({ pixels: [{ mean: 1, deviation: 1 }] });
  });

  test("pixels stand in a row, NaN where the image is missing; others are refused", () => {
    const encoding = { fields: [field] };
    expect(encodedWidth(encoding)).toBe(256);
    const row = (cell: string, pixels?: Float32Array) => ({
      where: "t.csv: line 2",
      cell: () => cell,
      ...(pixels && { pixels: () => pixels }),
    });
    const x = encodeRows(encoding, [row("a.png", halves), row("")]);
    expect(x.toNumbers().slice(0, 256)).toEqual([...halves]);
    expect(x.toNumbers().slice(256).every(Number.isNaN)).toBe(true);
    expect(() => encodeRows(encoding, [row("a.png")])).toThrow(/"photo" is "a.png", expected an image that is read/);
    expect(() => encodeRows(encoding, [row("a.png", new Float32Array(3))])).toThrow(
      /the image "photo" has 3 numbers, expected 1 x 16 x 16/,
    );
  });

  test("networks see parts as baselines do, and nothing of a missing image but that it is", async () => {
    const encoding = { fields: [field] };
    const x = new Tensor(
      "float32",
      [3, 256],
      Float32Array.from([...halves, ...full, ...new Float32Array(256).fill(Number.NaN)]),
    );
    const columns = columnsOf(field);
    const parts = await jit((own: Value) => partsOfImages(own, columns) as Value)(x);
    const dense = denseFeatures(encoding, x);
    expect(dense.shape).toEqual([3, 17]);
    expect(parts.toNumbers()).toEqual(dense.toNumbers().map((value) => expect.closeTo(value, 5)));
    expect(dense.toNumbers().slice(34)).toEqual([...new Array<number>(16).fill(0), 1]);
    const pixels = await jit((own: Value) => imagesOf(own, columns)[0]?.pixels as Value)(x);
    expect(pixels.shape).toEqual([3, 1, 16, 16]);
    expect(pixels.toNumbers().slice(512)).toEqual(new Array<number>(256).fill(0));
  });

  test("a member's convolutions learn nothing from its own fold", async () => {
    const own = new TableNetwork(columnsOf(field), { outputs: 2, members: 2, width: 4, dropout: 0 });
    own.trace({ dtype: "float32", shape: [1, 256] });
    own.initialize(keyOf(1));
    const before = saveParameters(own);
    const x = new Tensor("float32", [4, 256], Float32Array.from([...halves, ...full, ...halves, ...full]));
    const whole = (values: number[]) => tensor(values, { dtype: "int32" });
    const data = fromTensors({ x, y: whole([1, 0, 1, 0]), fold: whole([0, 0, 0, 0]) });
    await fit(own, data.batch(4), { objective: foldedObjective(own), optimizer: adam(), epochs: 3 });
    const after = Object.entries(saveParameters(own)).filter(([path]) => path.includes("images"));
    expect(after).toHaveLength(12);
    for (const [path, values] of after) {
      const half = values.length / 2;
      const moved = [0, 1].map((member) => {
        const part = (all: Float32Array) => all.subarray(member * half, (member + 1) * half).join();
        return part(values) !== part(before[path] as Float32Array);
      });
      expect([path, moved]).toEqual([path, [false, true]]);
    }
  });
});

describe("a table of images beside other columns", () => {
  const path = drawHouses(join(folder, "houses"), 60, { broken: (row) => row === 4, absent: (row) => row % 20 === 1 });

  test("is a table; of images and marks alone, images", async () => {
    expect(await recipeForData(path)).toEqual({
      recipe: "table",
      because: 'a table with images ("photo") beside other columns',
    });
    const of = (name: string, head: string, line: (i: number) => string) => {
      const own = join(folder, name);
      writeFileSync(
        own,
        [head, ...Array.from({ length: 40 }, (_, i) => `houses/photos/${i}.png,${line(i)}`)].join("\n"),
      );
      return own;
    };
    const labelled = of("labelled.csv", "file_name,label", (i) => String(i % 4));
    const marked = of("marked.csv", "file_name,dog,grass", (i) => `${i % 2},${(i >> 1) % 2}`);
    for (const own of [labelled, marked]) expect((await recipeForData(own)).recipe).toBe("images");
  });

  test("broken and absent images count for missing, and are told", async () => {
    const { encoding, train, test: tested, notes } = await load(path);
    expect(encoding.fields.map(({ name, kind }) => [name, kind])).toEqual([
      ["size", "number"],
      ["town", "category"],
      ["photo", "image"],
    ]);
    expect(encoding.fields[2]).toMatchObject({ height: 32, width: 32, channels: 1 });
    expect([train.x.shape[1], tested.x.shape[1]]).toEqual([2 + 1024, 2 + 1024]);
    const rowsOf = ({ shape, data }: Tensor) =>
      Array.from({ length: shape[0] ?? 0 }, (_, row) => Number(data[row * (shape[1] ?? 1) + 2]));
    expect([...rowsOf(train.x), ...rowsOf(tested.x)].filter(Number.isNaN)).toHaveLength(4);
    expect(notes.join("\n")).toMatch(/of "photo" 1 image cannot be read, and counts for missing, such as .*4\.png/);
    expect(notes.join("\n")).toMatch(/3 rows without an image in "photo"/);
    expect(notes.join("\n")).toMatch(/"photo", an image \(32 x 32 pixels, grey\)/);
  });

  test("rows of equal images come into one part", async () => {
    const own = join(folder, "repeated.csv");
    const lines = Array.from(
      { length: 80 },
      (_, i) => `houses/photos/${6 + Math.floor(i / 4) * 2}.png,${i},${i % 7}.5`,
    );
    writeFileSync(own, ["photo,size,price", ...lines].join("\n"));
    const { train, test: tested } = await load(own);
    const imagesIn = ({ shape: [rows = 0, width = 0], data }: Tensor<"float32">) =>
      Array.from({ length: rows }, (_, row) => data.subarray(row * width + 1, (row + 1) * width).join());
    const trained = new Set(imagesIn(train.x));
    expect(imagesIn(tested.x).filter((image) => trained.has(image))).toEqual([]);
  });

  test("a column of which no image can be read is left out", async () => {
    mkdirSync(join(folder, "gone"));
    writeFileSync(join(folder, "gone/houses.csv"), readFileSync(path));
    const { encoding, notes } = await load(join(folder, "gone/houses.csv"));
    expect(encoding.fields.map(({ name }) => name)).toEqual(["size", "town"]);
    expect(notes.join("\n")).toMatch(/not read: "photo" \(none of \d+ images that were looked at can be read/);
  });

  test("rows of a prediction are read with their images, by paths from a folder", async () => {
    const { encoding } = await load(path);
    const row = (photo: string) => ({ where: "row 1", cell: (name: string) => (name === "photo" ? photo : "") });
    const [named, none] = await withImages([row("photos/2.png"), row("")], encoding, join(folder, "houses"));
    expect([named?.pixels?.("photo")?.length, none?.pixels?.("photo")]).toEqual([1024, undefined]);
    await expect(withImages([row("photos/4.png")], encoding, join(folder, "houses"))).rejects.toThrow(
      /row 1: .*4\.png/,
    );
  });
});
