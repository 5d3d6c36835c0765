/** Samples that an explanation compares with: read as inputs are, from a file of several or a folder of files. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { joinRows } from "../../data/pipeline/rows.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { preparation } from "../open/input.ts";
import { readInput } from "../open/predict-input.node.ts";
import type { InputFormat, RecipeNetwork } from "../recipes/recipe.ts";

/** Files of a folder that are read. */
const mostFiles = 200;

/**
 * Samples [rows, …] as the model takes them. Of a folder the first 200 files by name, without hidden ones. Throws FileError for an empty folder, and what
 * reading throws.
 */
export async function readBackground(
  argument: string,
  network: RecipeNetwork & { readonly format?: InputFormat },
  compile: CompileOptions,
): Promise<Tensor> {
  const isFolder = statSync(argument, { throwIfNoEntry: false })?.isDirectory() === true;
  const names = isFolder ? readdirSync(argument, { withFileTypes: true }) : [];
  const files = isFolder
    ? names
        .filter((own) => own.isFile() && !own.name.startsWith("."))
        .map(({ name }) => join(argument, name))
        .sort()
        .slice(0, mostFiles)
    : [argument];
  if (files.length === 0)
    throw new FileError(`${argument} has no files; pass a folder of samples such as those that the model learned from`);
  const prepare = preparation(network, compile);
  const rows: Tensor[] = [];
  for (const file of files) rows.push(await prepare((await readInput(file, network)).samples));
  return joinRows(rows);
}

/** The mean of rows [rows, …], as a sample [1, …]. */
export function meanRow(rows: Tensor): Tensor {
  const [count = 1, ...shape] = rows.shape;
  const each = size(shape);
  const numbers = rows.toNumbers();
  const mean = new Float32Array(each);
  for (const [i, value] of numbers.entries()) mean[i % each] = (mean[i % each] as number) + value / count;
  return new Tensor("float32", [1, ...shape], mean);
}
