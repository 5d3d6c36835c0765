/** `sardonyx generate`: text that a run's language model writes. */
import { DataError, OptionError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { decoder, generate } from "../../decode/generate.ts";
import { defineCommand, number, text, wholeNumber } from "../command.ts";
import { bestOption, openRun } from "../../runs/open-run.node.ts";
import { shown } from "../../runs/run-folder.node.ts";
import { count } from "../text.ts";

export const command = defineCommand({
  name: "generate",
  summary: "Let a run's language model go on with a text",
  arguments: [{ name: "RUN", description: "folder of the run, or its name below runs/" }],
  options: {
    prompt: text("TEXT", "beginning of the text (default: one that the recipe names)"),
    tokens: wholeNumber("tokens to write (default 300)", 1),
    temperature: number("below 1 surer, above 1 bolder, 0 always the likeliest token (default 0.8)", {
      low: 0,
      example: 0.8,
    }),
    topK: wholeNumber("draw from this many of the likeliest tokens (default all)", 1),
    topP: number("draw from the likeliest tokens with this share of the probability together (default 1)", {
      low: 0,
      above: true,
      example: 0.95,
    }),
    seed: wholeNumber("start of the randomness (default 0)", 0),
    best: bestOption,
  },
  examples: [
    ["sardonyx generate gpt-char --prompt 'Call me'", "300 characters"],
    ["sardonyx generate gpt-bpe --temperature 0.7 --top-p 0.95", "surer, without unlikely tokens"],
  ],
  async run({ arguments: [run = ""], options, output }) {
    const { tokens = 300, temperature = 0.8, topK, topP, seed = 0 } = options;
    if (topP !== undefined && topP > 1) throw new OptionError(`--top-p is ${topP}; pass a share above 0, at most 1`);
    const { task, compile, folder } = await openRun(run, { best: options.best, output });
    if (!task.writer)
      throw new OptionError(`${shown(folder)} holds no language model; ask it by: sardonyx predict ${shown(folder)}`);
    const { tokenizer, positions, prompt: own } = task.writer;
    const prompt = options.prompt ?? own;
    const ids = tokenizer.encode(prompt);
    if (ids.length > positions)
      throw new DataError(`the prompt has ${ids.length} tokens, the model reads ${positions} at most; shorten it`);
    const model = await decoder(task.model, { capacity: positions, compile });
    const random = new Random(keyOf(seed));
    const written: number[] = [];
    output.part(prompt);
    const began = performance.now();
    let first = began;
    let pending: number[] = [];
    for await (const token of generate(model, ids, {
      ...{ temperature, random },
      ...(topK !== undefined && { topK }),
      ...(topP !== undefined && { topP }),
    })) {
      if (written.push(token) === 1) first = performance.now();
      // A character may take several tokens: it is told when it is whole.
      pending.push(token);
      const piece = tokenizer.decode(pending);
      if (!piece.endsWith("\uFFFD")) {
        output.part(piece);
        pending = [];
      }
      if (written.length === tokens) break;
    }
    const rate = (written.length - 1) / ((performance.now() - first) / 1000);
    output.record("generation", { prompt, text: tokenizer.decode(written), tokens: written, tokensPerSecond: rate });
    output.line(`\n\n${count(written.length)} tokens, ${count(rate)} a second after a prompt of ${count(ids.length)}.`);
  },
});
