/** What is done with models that are read: their report in every format, and the model itself. */
import { inspect } from "../../src/analyze/report/inspect.ts";
import { documentFormats, documentOf } from "../../src/cli/inspect/documents.ts";
import { openPath } from "../../src/cli/inspect/open-file.ts";
import { trainingOptionsOf } from "../../src/cli/inspect/what-if.ts";
import { loadModel } from "../../src/formats/files/load-model.node.ts";
import { type Input, readAll } from "../target.ts";

/** Inspects a path as the command line does, and writes the report in all formats but the page, which embeds a library. */
export async function inspectPath(path: string): Promise<void> {
  const inspected = inspect(await openPath(path, {}), trainingOptionsOf({}));
  for (const format of documentFormats)
    if (format !== "html") documentOf(format, inspected, { all: false, columns: 80 });
}

/** Inspects the file of a name and loads it as a model. */
export const inspectAndLoad = (name: string) => (input: Input) => {
  const path = input.path(name);
  return readAll(
    () => inspectPath(path),
    () => loadModel(path, { report: () => undefined }),
  );
};

/** As `inspectAndLoad`, of the whole folder. */
export const inspectAndLoadFolder = (input: Input) => {
  const folder = input.folder();
  return readAll(
    () => inspectPath(folder),
    () => loadModel(folder, { report: () => undefined }),
  );
};
