/** A small GPT over pieces of words. */
import { trainBpe } from "../src/index.ts";
import { gptRecipe } from "./shared/gpt.ts";

export default gptRecipe({
  name: "gpt-bpe",
  summary:
    "A decoder of 4 layers that learns to write from a book, by pieces of words (byte-pair encoding, 1,024 tokens); n-grams predict so short a text better",
  data: "Moby Dick: 440,000 tokens; the last tenth is the test",
  epochs: 10,
  next: ["sardonyx train bert-mlm             a network that reads in both directions"],
  size: { width: 128, layers: 4, heads: 4, positions: 128 },
  dropout: 0.1,
  tokenize: (text) => trainBpe(text, { vocabulary: 1024 }),
});
