/** A small GPT that writes one character after the other. */
import { characterTokenizer } from "../src/index.ts";
import { gptRecipe } from "./shared/gpt.ts";

export default gptRecipe({
  name: "gpt-char",
  summary:
    "A decoder of 4 layers that learns to write from a book, one character at a time; n-grams predict so short a text better",
  data: "Moby Dick: 1.2 million characters; the last tenth is the test",
  epochs: 6,
  next: ["sardonyx train gpt-bpe              the same with pieces of words"],
  size: { width: 128, layers: 4, heads: 4, positions: 128 },
  dropout: 0,
  tokenize: (_, whole) => characterTokenizer(whole),
});
