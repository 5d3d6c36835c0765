/** Many what-ifs of one target, which is read once: options come as JSON, a line for each inspection, and each is answered as it comes. */
import { createInterface } from "node:readline";
import { setImmediate } from "node:timers/promises";
import { InternalError, OptionError, SardonyxError, unknownName } from "../../core/errors.ts";
import { flagOf } from "../../core/printable.ts";
import { isPlainObject } from "../../core/tree.ts";
import { choice, type OptionTable, type OptionValues, toggle } from "../command.ts";
import type { Output } from "../output.ts";
import { documentFormatOf, documentFormats, documentOf } from "./documents.ts";
import { inspectOptions, inspectTarget, OpenedNetworks } from "./what-if.ts";

/** Options of each inspection. */
export const eachOptions = {
  ...inspectOptions,
  format: choice(`${documentFormats.join(", ")}; default table`, documentFormatOf),
  all: toggle("show each of the blocks that repeat"),
} as const;

type EachOptions = OptionValues<typeof eachOptions>;

/** Options by their names in JSON, `{"batch": 8, "freezeBlocks": 2}`, with values as the command line has them. Throws OptionError. */
function optionsIn(line: string): EachOptions {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch (cause) {
    throw new OptionError(
      `a line of --each is no JSON (${(cause as Error).message}); send an object such as {"batch": 8}`,
    );
  }
  if (!isPlainObject(given)) throw new OptionError('a line of --each is no object; send one such as {"batch": 8}');
  const table: OptionTable = eachOptions;
  const entries = Object.entries(given).flatMap(([name, value]) => {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!option) throw unknownName("option", name, Object.keys(table));
    if (option.placeholder === undefined && typeof value === "boolean") return value ? [[name, true] as const] : [];
    if (option.placeholder === undefined || (typeof value !== "string" && typeof value !== "number"))
      throw new OptionError(
        `${name} is ${JSON.stringify(value)}; send ${option.placeholder === undefined ? "true or false" : "a string or a number"}`,
      );
    return [[name, option.parse(String(value), flagOf(name))] as const];
  });
  return Object.fromEntries(entries) as EachOptions;
}

/**
 * Inspects a target for each line of `lines`, with its options in place of those that are `given`. A mistake in one is told, and the next is answered; in
 * JSON mode a line is answered by one record: `inspection`, `document` of another format, or `error`.
 */
export async function inspectEach(
  target: string,
  given: EachOptions,
  output: Output,
  lines: NodeJS.ReadableStream = process.stdin,
): Promise<void> {
  const opened = new OpenedNetworks();
  for await (const line of createInterface({ input: lines, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === "") continue;
    // What was printed goes out before the next is begun.
    await setImmediate();
    try {
      const { format, all = false, ...options } = { ...given, ...optionsIn(line) };
      const inspected = await inspectTarget(target, options, output, opened);
      if (output.json && (format ?? "json") === "json") {
        output.record("inspection", inspected.inspection);
        continue;
      }
      const text = await documentOf(format ?? "table", inspected, { all, columns: output.columns });
      output.record("document", { format, text });
      output.line(text.trimEnd());
    } catch (error) {
      if (!(error instanceof SardonyxError) || error instanceof InternalError) throw error;
      output.record("error", { code: error.code, message: error.message });
      if (!output.json) output.warn(error.message, "bad");
    }
  }
}
