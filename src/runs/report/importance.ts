/** What the columns of a table are worth to a model, by permutation. */
import { foldIn, type Key, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { encodedWidth, type RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import { judgeClasses, judgeNumbers, type TestOutputs } from "./outputs.ts";
import type { Importance } from "./report.ts";

/** Permutations of each column, fewer where there are many columns. */
const mostRepeats = 5;
/** Rows that are predicted for all columns together, and rows at least. */
const [mostPredicted, leastRows] = [400_000, 200];
/** Rows that are predicted at once. */
const mostAtOnce = 1024;

/** What the importance of columns is measured with. */
export interface ImportanceOptions {
  readonly encoding: RowEncoding;
  readonly ask: (x: Tensor) => Promise<Tensor>;
  /** Decides the permutations. */
  readonly key: Key;
}

/**
 * By how much the test's accuracy falls, or its root mean squared error grows, when the numbers of a column are exchanged between rows, all
 * numbers of one column together (permutation importance: Breiman 2001, "Random Forests", section 10). A column that others stand in for
 * comes out low. The same key gives the same result.
 */
export async function importanceOf(
  { kind, samples }: Pick<TestOutputs, "kind" | "samples">,
  rows: Tensor,
  { encoding, ask, key }: ImportanceOptions,
): Promise<Importance> {
  const { fields } = encoding;
  const repeats = Math.max(1, Math.min(mostRepeats, Math.floor(100 / fields.length)));
  const count = Math.min(samples.length, Math.max(leastRows, Math.floor(mostPredicted / (repeats * fields.length))));
  const used = samples.slice(0, count);
  const x = gatherRows(
    rows,
    used.map((_, i) => i),
  );
  const y =
    kind === "classes"
      ? new Tensor(
          "int32",
          [count],
          Int32Array.from(used, ({ actual }) => actual),
        )
      : new Tensor(
          "float32",
          [count, 1],
          Float32Array.from(used, ({ actual }) => actual),
        );
  const score = async (given: Tensor) => scoreOf(kind, await predictedOf(given, ask), y);
  const reference = await score(x);
  const columns: { name: string; worsening: number }[] = [];
  let start = 0;
  for (const field of fields) {
    const width = encodedWidth({ fields: [field] });
    let worsening = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const order = new Random(foldIn(key, "importance", start, repeat)).permutation(count);
      const changed = await score(exchanged(x, { start, width, order }));
      worsening += (kind === "classes" ? reference - changed : changed - reference) / repeats;
    }
    columns.push({ name: field.name, worsening });
    start += width;
  }
  columns.sort((a, b) => b.worsening - a.worsening);
  return { metric: kind === "classes" ? "accuracy" : "rmse", reference, samples: count, repeats, columns };
}

/** Rows with numbers `start` to `start + width` taken from the rows that `order` names. */
function exchanged(
  x: Tensor,
  { start, width, order }: { readonly start: number; readonly width: number; readonly order: ArrayLike<number> },
): Tensor {
  const [count = 0, numbers = 0] = x.shape;
  const from = x.data as Float32Array;
  const data = from.slice();
  for (let row = 0; row < count; row++) {
    const source = (order[row] as number) * numbers + start;
    data.set(from.subarray(source, source + width), row * numbers + start);
  }
  return new Tensor("float32", [count, numbers], data);
}

async function predictedOf(x: Tensor, ask: ImportanceOptions["ask"]): Promise<Tensor> {
  const [count = 0] = x.shape;
  const numbers: number[] = [];
  let width = 1;
  for (let start = 0; start < count; start += mostAtOnce) {
    const places = Array.from({ length: Math.min(mostAtOnce, count - start) }, (_, i) => start + i);
    const output = await ask(gatherRows(x, places));
    width = output.shape[1] ?? 1;
    for (const value of output.toNumbers()) numbers.push(value);
  }
  return new Tensor("float32", [count, width], Float32Array.from(numbers));
}

function scoreOf(kind: TestOutputs["kind"], output: Tensor, y: Tensor): number {
  const judged = (kind === "classes" ? judgeClasses : judgeNumbers)(output, y).flatMap((own) => own ?? []);
  const sum = judged.reduce(
    (total, { actual, predicted, loss }) => total + (kind === "numbers" ? loss : Number(actual === predicted)),
    0,
  );
  return kind === "numbers" ? Math.sqrt(sum / judged.length) : sum / judged.length;
}
