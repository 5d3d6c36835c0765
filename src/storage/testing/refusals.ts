/** What a reader of files may throw: an error of ours, in one sentence that a terminal can show. */
import { InternalError, SardonyxError } from "../../core/errors.ts";

/** A message is a sentence or two; what a file says is quoted in it, and may be long. */
const longestMessage = 1000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** What is wrong with an error that a reader threw; `undefined` for the refusal of a file in one sentence. */
export function faultOf(error: unknown): "crash" | "defect" | "message" | undefined {
  if (!(error instanceof SardonyxError)) return "crash";
  if (error instanceof InternalError) return "defect";
  return error.message.length > longestMessage || controls.test(error.message) ? "message" : undefined;
}
