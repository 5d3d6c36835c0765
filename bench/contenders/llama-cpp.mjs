// The node-llama-cpp contender: llama.cpp's prebuilt program for Node, one further token of a text at a time. It is large and not among the
// benchmark's packages: npm install --no-save --ignore-scripts --prefix bench node-llama-cpp@3.21.1
import { capacity, llamaWorks, prompt, withLlama } from "./llama.mjs";
import { contend, threads } from "./measure.mjs";

async function generation(file) {
  const { getLlama } = await import("node-llama-cpp");
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel: "error" });
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({ contextSize: capacity, threads });
  const sequence = context.getSequence();
  let tokens;
  return {
    note: "Made-up weights; it draws the likeliest token itself.",
    async step() {
      if (tokens === undefined || sequence.nextTokenIndex >= capacity - 1) {
        await sequence.clearHistory();
        tokens = sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true });
        await tokens.next();
      }
      return (await tokens.next()).value;
    },
  };
}

const steps = Object.fromEntries(
  Object.entries(llamaWorks).map(([work, type]) => [work, () => withLlama(type, generation)]),
);
await contend({ contender: "llama.cpp", version: "node-llama-cpp 3.21.1", steps });
process.exit();
