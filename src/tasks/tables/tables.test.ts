/** What a table is taken for, how its rows are parted, that members are measured by rows that they have not seen. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import { inferColumnTypes } from "../../data/tables/column-kinds.ts";
import { TableNetwork } from "../../models/tables/table-network.ts";
import { saveParameters } from "../../train/callbacks/saved-parameters.ts";
import type { Progress } from "../../train/fit.ts";
import { fit } from "../../train/fit.ts";
import { adam, adamw } from "../../train/optimizers/index.ts";
import { foldedObjective } from "../folds/folded-objective.ts";
import { keepBestCandidate } from "../folds/keep-best.ts";
import { loadTable } from "./load-table.node.ts";
import { tableModel } from "./table-model.ts";
import { classNames, targetColumn, taskOfColumn } from "./target.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-tables-"));
afterAll(() => rmSync(folder, { recursive: true }));

const columnOf = (name: string, cells: readonly string[]) => {
  const [type] = inferColumnTypes(
    [name],
    cells.map((cell) => [cell]),
  );
  if (!type) throw new Error("no column");
  return type;
};
const repeated = (cells: readonly string[], times: number) => Array.from({ length: times }, () => cells).flat();

describe("the target", () => {
  const columns = ["size", "Species", "last"].map((name) => columnOf(name, ["a", "b"]));
  test("is the column that is named, one of a usual name, or the last", () => {
    expect(targetColumn(columns, "size").column.name).toBe("size");
    expect(targetColumn(columns, "")).toMatchObject({ column: { name: "Species" }, why: "by its name" });
    expect(targetColumn(columns.slice(2), "").why).toBe("the last column");
    expect(() => targetColumn(columns, "sise")).toThrow(/did you mean "size"/);
  });

  test.each([
    ["texts", repeated(["yes", "no"], 20), true],
    ["digits", repeated(["0", "1", "2", "3"], 30), true],
    ["whole numbers of which each occurs seldom", Array.from({ length: 60 }, (_, i) => String((i * 7) % 19)), false],
    ["decimals", Array.from({ length: 40 }, (_, i) => String(i / 7)), false],
  ] as const)("%s: classes or numbers by what they are", (_, cells, isClasses) => {
    expect(taskOfColumn(columnOf("y", cells), "auto").isClasses).toBe(isClasses);
  });

  test.each([
    ["empty", ["", ""], "auto", /target "y": has no value in any row; name another column by --target/],
    ["constant", ["a", "a"], "auto", /nothing to tell apart/],
    ["unique texts", Array.from({ length: 30 }, (_, i) => `person ${i}x`), "auto", /hardly a value could be learned/],
    ["texts as numbers", repeated(["a", "b"], 9), "regression", /--task regression takes numbers/],
    [
      "decimals as classes",
      Array.from({ length: 40 }, (_, i) => String(i / 7)),
      "classification",
      /too many for classes/,
    ],
  ] as const)("%s are refused", (_, cells, task, said) => {
    expect(() => taskOfColumn(columnOf("y", cells), task)).toThrow(said);
  });

  test("classes are in the order of numbers, or of the alphabet", () => {
    expect(classNames(["10", "9", "10"])).toEqual(["9", "10"]);
    expect(classNames(["b", "10", "a"])).toEqual(["10", "a", "b"]);
  });
});

const request = {
  target: "",
  task: "auto",
  ignore: [],
  group: "",
  time: "",
  folds: 4,
  seed: 1,
  limit: undefined,
} as const;

function written(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.join("\n"));
  return path;
}

describe("loadTable", () => {
  // 200 rows, of which those below 100 occur twice; the last fifth is rare.
  const lines = Array.from({ length: 200 }, (_, i) => `${(i % 100) / 7},${i % 5},${i % 5 === 4 ? "rare" : "often"}`);
  test("tests on a fifth, each class in its share, and no row on both sides", async () => {
    const {
      train,
      test: held,
      folds,
      target,
      notes,
    } = await loadTable({ ...request, path: written("a.csv", ["a,b,label", ...lines]) });
    expect([train.x.shape, held.x.shape]).toEqual([
      [160, 2],
      [40, 2],
    ]);
    expect(target).toEqual({ name: "label", kind: "classes", classes: ["often", "rare"] });
    const rare = (y: { readonly data: ArrayLike<number | bigint> }) =>
      Array.from(y.data).filter((label) => Number(label) === 1).length;
    expect([rare(train.y), rare(held.y)]).toEqual([32, 8]);
    const rowsOf = (x: { toArray(): unknown }) => (x.toArray() as number[][]).map((row) => row.join());
    const trained = rowsOf(train.x);
    for (const row of rowsOf(held.x)) expect(trained).not.toContain(row);
    // Equal rows are in one fold.
    for (const [i, row] of trained.entries()) expect(folds[i]).toBe(folds[trained.indexOf(row)]);
    expect(folds.filter((fold) => fold === 0).length).toBeCloseTo(40, -1);
    expect(notes.join("\n")).toMatch(/"label" is predicted \(by its name; --target names another\), one of 2 classes/);
  });

  test("learns columns from the rows to train on", async () => {
    const rows = Array.from({ length: 50 }, (_, i) => `${i / 2},x${i % 2},${i * 1.25}`);
    const { encoding, target, train } = await loadTable({
      ...request,
      path: written("b.csv", ["size,kind,price", ...rows]),
    });
    const [size] = encoding.fields;
    const trained = (train.x.toArray() as number[][]).map(([own = 0]) => own);
    const mean = trained.reduce((a, b) => a + b, 0) / trained.length;
    expect(size?.kind === "number" && size.statistics.mean).toBeCloseTo(mean, 4);
    expect(target.kind === "number" && target.mean).toBeCloseTo(2.5 * mean, 3);
  });

  test("keeps groups together, or tests on what is later", async () => {
    const rows = Array.from(
      { length: 120 },
      (_, i) => `p${i % 12},2020-01-${String(1 + (i >> 2)).padStart(2, "0")},${i / 7},${i % 2 ? "x" : "y"}`,
    );
    const path = written("c.csv", ["person,day,size,label", ...rows]);
    const placesOf = (loaded: { readonly x: { toArray(): unknown } }) =>
      (loaded.x.toArray() as number[][]).map((numbers) => Math.round(7 * (numbers.at(-1) as number)));
    const grouped = await loadTable({ ...request, path, group: "person", ignore: ["day"] });
    const people = (places: readonly number[]) => new Set(places.map((place) => place % 12));
    const [trained, tested] = [people(placesOf(grouped.train)), people(placesOf(grouped.test))];
    expect([...tested].filter((person) => trained.has(person))).toEqual([]);
    expect(tested.size + trained.size).toBe(12);
    const timed = await loadTable({ ...request, path, time: "day", ignore: ["person"] });
    expect(Math.min(...placesOf(timed.test))).toBeGreaterThanOrEqual(96);
    expect(timed.notes.join()).not.toMatch(/in the order of/);
    expect((await loadTable({ ...request, path })).notes.join()).toMatch(
      /in the order of "day", .*--time "day" tests on the last ones/,
    );
    await expect(loadTable({ ...request, path, time: "label" })).rejects.toThrow(
      /--time is "label", a column of kind category/,
    );
    await expect(loadTable({ ...request, path, ignore: ["dya"] })).rejects.toThrow(/did you mean "day"/);
    await expect(loadTable({ ...request, path, group: "label" })).rejects.toThrow(
      /"label" has 2 values, too few for a test and 4 folds; pass a --group of 6 at least/,
    );
    await expect(loadTable({ ...request, path, group: "person", time: "day" })).rejects.toThrow(
      /pass the one or the other/,
    );
    await expect(loadTable({ ...request, path, group: "persn" })).rejects.toThrow(/did you mean "person"/);
  });

  test("rows that a few categories describe stand for themselves", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `${i % 2 ? "man" : "woman"},${i % 3},${i % 5 ? "yes" : "no"}`);
    const {
      train,
      test: held,
      folds,
    } = await loadTable({ ...request, path: written("few-kinds.csv", ["sex,deck,label", ...rows]) });
    expect([train.x.shape[0], held.x.shape[0]]).toEqual([160, 40]);
    // Every fold has its share, and every kind of row is on both sides.
    expect([0, 1, 2, 3].map((fold) => folds.filter((own) => own === fold).length)).toEqual([40, 40, 40, 40]);
    const kindsIn = (x: { toArray(): unknown }) => new Set((x.toArray() as number[][]).map((row) => row.join())).size;
    expect([kindsIn(train.x), kindsIn(held.x)]).toEqual([6, 6]);
  });

  test("leaves rows out whose number to predict is none", async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i / 3},${i === 7 ? "sold out" : i * 1.5}`);
    const {
      train,
      test: held,
      target,
      notes,
    } = await loadTable({ ...request, path: written("dirty.csv", ["size,price", ...rows]) });
    expect((train.y.shape[0] ?? 0) + (held.y.shape[0] ?? 0)).toBe(59);
    expect(target.kind === "number" && Number.isFinite(target.mean)).toBe(true);
    expect(notes.join()).toMatch(/1 row without a number for "price" left out/);
  });

  test("says what it cannot do, with the mend", async () => {
    const few = written("few.csv", ["a,y", "1.5,x", "2,y", "3,x", "4,y"]);
    await expect(loadTable({ ...request, path: few })).rejects.toThrow(
      /4 rows have a value of "y", too few .*pass 8 at least/,
    );
    const ragged = written("ragged.csv", ["a,b,y", ...lines.slice(0, 20), "1,2"]);
    await expect(loadTable({ ...request, path: ragged })).rejects.toThrow(/line 22/);
  });
});

test("very many columns have fewer bins each, and narrower layers", async () => {
  const width = 5000;
  const names = Array.from({ length: width }, (_, i) => `c${i}`);
  const rows = Array.from(
    { length: 40 },
    (_, row) => `${names.map((_, i) => Math.sin(row * 7.1 + i)).join()},${row % 2 ? "x" : "y"}`,
  );
  const { encoding, target, notes } = await loadTable({
    ...request,
    path: written("wide.csv", [[...names, "label"].join(), ...rows]),
  });
  const model = tableModel(encoding, target, { members: 2, width: 128 });
  model.trace({ dtype: "float32", shape: [1, width] });
  // 640,000 weights over 5,000 columns of two bins.
  expect(model.parameters().get("candidates.networkOfBins.hidden.0.weight")?.shape).toEqual([2, 10_000, 64]);
  expect(notes.join("\n").length).toBeLessThan(1500);
  expect(notes.join("\n")).toMatch(/; and 4,988 more/);
});

describe("foldedObjective", () => {
  const columns = [{ kind: "number", fill: 0, mean: 0, deviation: 1, edges: [-1, 0, 1], hasMissing: false }] as const;
  const model = new TableNetwork(columns, { outputs: 2, members: 2, width: 4, dropout: 0 });
  model.trace({ dtype: "float32", shape: [1, 1] });
  model.initialize(keyOf(1));

  test("a member learns nothing from its own fold", async () => {
    const own = new TableNetwork(columns, { outputs: 2, members: 2, width: 4, dropout: 0 });
    own.trace({ dtype: "float32", shape: [1, 1] });
    own.initialize(keyOf(1));
    const before = saveParameters(own);
    const [x, y] = [tensor([[1], [-1], [2], [-2]]), tensor([1, 0, 1, 0], { dtype: "int32" })];
    const data = fromTensors({ x, y, fold: tensor([0, 0, 0, 0], { dtype: "int32" }) });
    await fit(own, data.batch(4), { objective: foldedObjective(own), optimizer: adam(), epochs: 3 });
    const after = saveParameters(own);
    for (const [path, values] of Object.entries(after)) {
      if (path === "mix") continue;
      const half = values.length / 2;
      const moved = [0, 1].map((member) => {
        const part = (all: Float32Array) => all.subarray(member * half, (member + 1) * half).join();
        return part(values) !== part(before[path] as Float32Array);
      });
      expect([path, moved]).toEqual([path, [false, true]]);
    }
  });

  test("keeps the choice of networks and the epoch that did best on rows not seen", async () => {
    const size = 64;
    const x = tensor(Array.from({ length: size }, (_, i) => [Math.sin(i)]));
    const y = tensor(
      Array.from({ length: size }, (_, i) => (Math.sin(i) > 0 ? 1 : 0)),
      { dtype: "int32" },
    );
    const fold = tensor(
      Array.from({ length: size }, (_, i) => i % 2),
      { dtype: "int32" },
    );
    const data = fromTensors({ x, y, fold });
    const { history, notes } = await fit(model, data.batch(16), {
      objective: foldedObjective(model),
      optimizer: adamw({ learningRate: 0.01 }),
      epochs: 6,
      validation: data.batch(64),
      callbacks: [keepBestCandidate(model, { patience: 3 })],
    });
    const losses = history.flatMap((epoch) =>
      Object.entries(epoch).flatMap(([name, loss]) => (name.startsWith("validation_loss.") ? [loss] : [])),
    );
    expect(notes.join()).toContain(`loss ${Number(Math.min(...losses).toPrecision(4))}`);
    const mix = model.parameters().get("mix")?.value?.toNumbers() ?? [];
    expect(mix.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
  });

  test("a stage that does worse ends with the best of those before it", async () => {
    const own = new TableNetwork(columns, { outputs: 2, members: 2, width: 4, dropout: 0 });
    const x = tensor(Array.from({ length: 32 }, (_, i) => [Math.sin(i)]));
    const places = (of: (i: number) => number) =>
      tensor(
        Array.from({ length: 32 }, (_, i) => of(i)),
        { dtype: "int32" },
      );
    const data = fromTensors({ x, y: places((i) => ((i * i) % 3 === 0 ? 1 : 0)), fold: places((i) => i % 2) });
    const callback = keepBestCandidate(own);
    const stage = (learningRate: number, epochs: number, resume?: Progress) =>
      fit(own, data.batch(16), {
        objective: foldedObjective(own),
        optimizer: adamw({ learningRate }),
        epochs,
        validation: data.batch(32),
        callbacks: [callback],
        training: { ...(resume && { resume }) },
      });
    const { progress } = await stage(0.01, 4);
    const best = saveParameters(own);
    const kept = callback.nextStage?.(progress.callbacks["keepBestCandidate"]);
    const begun = { ...progress, trained: undefined, callbacks: { keepBestCandidate: kept } };
    const { notes } = await stage(100, 6, begun);
    expect(saveParameters(own)).toEqual(best);
    expect(notes.join()).toMatch(/after epoch [1-4]:/);
  });
});
