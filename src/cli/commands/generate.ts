/** `sardonyx generate`: text that a run's language model writes. */
import { append } from "../../core/lists.ts";
import { count, plural } from "../../core/number-text.ts";
import { generationSchema } from "../../runs/open/generation.ts";
import { defineCommand, text } from "../command.ts";
import { computeOptions, openNamed } from "../open-run.ts";
import { optionsFrom } from "../setting-option.ts";

export const command = defineCommand({
  arguments: [{ name: "RUN", description: "folder of the run, or its name below runs/" }],
  options: {
    prompt: text("TEXT", "beginning of the text (default: one that the recipe names)"),
    ...optionsFrom(generationSchema.shape),
    ...computeOptions,
  },
  examples: [
    ["sardonyx generate gpt-char --prompt 'Call me'", "300 characters"],
    ["sardonyx generate gpt-bpe --temperature 0.7 --top-p 0.95", "less random, without unlikely tokens"],
  ],
  async run({ arguments: [name = ""], options: { best, recipe, prompt: given, ...sampling }, output }) {
    const run = await openNamed(name, { ...(best && { best }), ...(recipe && { recipe }) }, output);
    const prompt = given ?? run.deployment.writer?.prompt ?? "";
    const pieces = run.generate(prompt, sampling);
    const tokens: number[] = [];
    let [text, first] = ["", 0];
    for await (const piece of pieces) {
      if (tokens.length === 0) {
        output.part(prompt);
        first = performance.now();
      }
      output.part(piece.text);
      text += piece.text;
      append(tokens, piece.tokens);
    }
    const rate = (tokens.length - 1) / ((performance.now() - first) / 1000);
    output.record("generation", { prompt, text, tokens, tokensPerSecond: rate });
    const read = run.deployment.writer?.tokenizer.encode(prompt).length ?? 0;
    output.line(`\n\n${plural(tokens.length, "token")}, ${count(rate)} a second after a prompt of ${count(read)}.`);
  },
});
