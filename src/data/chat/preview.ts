/** Examples as text, with what is learned marked, to be read before a model is trained on them. */
import { DataError } from "../../core/errors.ts";
import { count, functionOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { ChatExample } from "./chat-examples.ts";
import type { TextCoder } from "./token-spans.ts";

/** Options of `previewExamples`. */
export interface PreviewOptions {
  /** Examples at most; default 3. */
  readonly count?: number;
  /** Tokens of each at most; default 500. */
  readonly tokens?: number;
  /** Marks a learned part of a line, such as by a colour; default it stands between ⟦ and ⟧. */
  readonly mark?: (text: string) => string;
}

const checkOptions = optionsOf<PreviewOptions>("previewExamples", {
  count: count(),
  tokens: count(),
  mark: functionOf<(text: string) => string>("(text) => marked text"),
});

interface Run {
  readonly text: string;
  readonly isLearned: boolean;
}

/** Control characters as pictures of them: a text must not steer a terminal. A tab stays. */
const printable = (text: string): string =>
  text
    .replace(/\r\n?/g, "␍\n")
    .replace(/(?![\n\t])\p{Cc}/gu, (sign) => {
      const code = sign.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "␡" : "\uFFFD";
    })
    // Marks that turn the direction of writing would show a text in another order than it has.
    .replace(/[\u202A-\u202E\u2066-\u2069]/g, "\uFFFD");

/** Parts of an example in turn learned and not, each the text that its tokens add to those before. */
function runsOf(ids: Int32Array, learned: Uint8Array, { decode }: Pick<TextCoder, "decode">): Run[] {
  const runs: Run[] = [];
  let before = "";
  let start = 0;
  for (let end = 1; end <= ids.length; end++) {
    if (end < ids.length && learned[end] === learned[start]) continue;
    const whole = decode([...ids.subarray(0, end)]);
    const text = whole.startsWith(before) ? whole.slice(before.length) : decode([...ids.subarray(start, end)]);
    runs.push({ text, isLearned: learned[start] === 1 });
    [before, start] = [whole, end];
  }
  return runs;
}

/** Each line marked by itself, so that colours and brackets end where it does. */
const markLines = (text: string, mark: (text: string) => string): string =>
  text
    .split("\n")
    .map((line) => (line === "" ? "" : mark(line)))
    .join("\n");

/**
 * The first examples decoded, as lines: of each a heading with its numbers of tokens, then its text, in which what is learned is marked.
 * Control characters are shown, not written.
 * @example
 * for (const line of previewExamples(examples, tokenizer)) console.log(line);
 * // examples[0]: 15 tokens, 4 of them learned
 * // <|im_start|>user
 * // 2 + 2?<|im_end|>
 * // <|im_start|>assistant
 * // ⟦4<|im_end|>⟧
 */
export function previewExamples(
  examples: readonly ChatExample[],
  tokenizer: Pick<TextCoder, "decode">,
  options: PreviewOptions = {},
): string[] {
  const { count: most = 3, tokens = 500, mark = (text: string) => `⟦${text}⟧` } = checkOptions(options);
  if (examples.length === 0) throw new DataError("previewExamples: there are no examples, expected at least one");
  return examples.slice(0, most).flatMap(({ ids, learned }, i) => {
    const marked = learned.reduce((sum, one) => sum + one, 0);
    const text = runsOf(ids.subarray(0, tokens), learned.subarray(0, tokens), tokenizer)
      .map((run) => (run.isLearned ? markLines(printable(run.text), mark) : printable(run.text)))
      .join("");
    const rest = ids.length - tokens;
    return [
      `examples[${i}]: ${ids.length} ${ids.length === 1 ? "token" : "tokens"}, ${marked} of them learned`,
      ...text.replace(/\n$/, "").split("\n"),
      ...(rest > 0 ? [`… and ${rest} more ${rest === 1 ? "token" : "tokens"}`] : []),
    ];
  });
}
