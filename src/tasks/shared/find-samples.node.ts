/** Files of your own with what is predicted of them. */
import { DataError, OptionError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import type { Tensor } from "../../core/tensor.ts";
import { inferColumnTypes } from "../../data/tables/column-kinds.ts";
import { limitedRows } from "../folds/parting.ts";
import { fitTarget } from "../tables/target.ts";
import { type FileKind, type FileList, type ListedFile, listFiles } from "./list-files.node.ts";
import {
  chooseSampleTarget,
  type SampleTarget,
  type SampleTargetChoice,
  type SampleTargetRequest,
} from "./sample-target.ts";

/** What samples are loaded, and how. */
export interface SampleRequest extends SampleTargetRequest {
  /** The folder or table. */
  readonly path: string;
  /** Start of all randomness. */
  readonly seed: number;
  /** So many samples at most. */
  readonly limit: number | undefined;
}

/** Files, and what is predicted of them. */
export interface FoundSamples {
  readonly files: readonly ListedFile[];
  readonly choice: SampleTargetChoice;
  /** In a few words: "images in folders by class". */
  readonly what: string;
  readonly notes: readonly string[];
}

/** Fewest samples that are parted. */
const fewest = 10;

/** The files of a folder or table, and what is predicted of them. Throws FileError or DataError for what cannot be read, and for too few. */
export async function findSamples(request: SampleRequest, kind: FileKind): Promise<FoundSamples> {
  const list = await listFiles(request.path, kind);
  const choice = choiceOf(list, kind, request);
  const known = list.files.filter(({ cells }) => choice.isKnown(cells));
  const files = limitedRows(known.length, request).map((place) => known[place] as ListedFile);
  if (files.length < fewest)
    throw new DataError(
      `${request.path}: has ${plural(files.length, kind.what)} with something to learn, too few to train on and test; pass ${fewest} at least`,
    );
  const without = list.files.length - known.length;
  return {
    files,
    choice,
    what: list.what,
    notes: [
      choice.note,
      ...(without > 0 ? [`${plural(without, kind.what)} without a value of the target left out`] : []),
    ],
  };
}

/** What is predicted: the folder that a file lies in, whatever it is called, or a column. */
function choiceOf(
  { byFolder, names, files, decimalComma }: FileList,
  { what }: FileKind,
  request: SampleRequest,
): SampleTargetChoice {
  const rows = files.map(({ cells }) => cells);
  const types = inferColumnTypes(names, rows, { decimalComma });
  const [type] = types;
  if (!byFolder || !type) return chooseSampleTarget(types, rows, request);
  const { target, labels, task } = request;
  const odd =
    (target !== "" && target !== type.name && `--target ${target}`) ||
    (labels.length > 0 && `--labels ${labels.join(",")}`) ||
    (task !== "auto" && task !== "classification" && `--task ${task}`);
  if (odd)
    throw new OptionError(
      `${odd} is for a table with columns of its own, and here the folder of each ${what} is its class; leave it out, or write metadata.csv with file_name and what is to be predicted`,
    );
  const folderOf = ([folder = ""]: readonly string[]) => folder;
  const folders = new Set(rows.map(folderOf));
  return {
    note: `the folder of each ${what} is predicted, one of ${plural(folders.size, "class", "classes")}`,
    isKnown: () => true,
    classOf: folderOf,
    fit: (cells, trained) => fitTarget(type, true, cells.map(folderOf), trained),
  };
}

/** Throws DataError for samples of one class alone. */
export function requireClasses(path: string, target: SampleTarget, y: Tensor): void {
  if (target.kind === "classes" && new Set<unknown>(y.data as Int32Array).size < 2)
    throw new DataError(
      `${path}: all samples are of one class, "${target.classes[y.data[0] as number]}", so that there is nothing to tell apart; add some of another`,
    );
}
