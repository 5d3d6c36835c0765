// Owns the jax-js contender: each work as one jitted function on its WebAssembly device.
import { readFileSync } from "node:fs";
import { parameterCount, uniform } from "./data.mjs";
import { contend, threads } from "./measure.mjs";
import { installBrowserGlobals } from "./web-worker.mjs";

// jax-js looks for workers and processors while it loads, so it is imported after they are there.
installBrowserGlobals(threads);
const { blockUntilReady, defaultDevice, init, jit, numpy: np, tree } = await import("@jax-js/jax");
await init("wasm");
defaultDevice("wasm");

const { adamState, adamUpdate } = await import("./jax-adam.mjs");
const { lenet, mlp, cnn } = await import("./jax-models.mjs");
const { trainingStep } = await import("./jax-step.mjs");

function adam() {
  const gradients = { w: np.array(uniform(parameterCount, 2)) };
  const update = jit(adamUpdate);
  let state = adamState({ w: np.array(uniform(parameterCount, 1)) });
  return {
    step: async () => {
      state = update(state, tree.ref(gradients));
      await blockUntilReady(state);
    },
  };
}

function dispatch() {
  const x = np.array(uniform(4, 1));
  const y = np.array(uniform(4, 2));
  const add = jit((x, y) => x.add(y));
  return {
    calls: 1_000,
    step: () => add(x.ref, y.ref).dataSync(),
    note: "Each call runs on the calling thread and reads its result.",
  };
}

// The package exports no package.json, so it is read by its place.
const manifest = new URL("../node_modules/@jax-js/jax/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, "utf8"));
await contend({
  contender: "jax-js",
  version: `jax-js ${version}`,
  note: "Its WebAssembly threads are Node workers dressed as a browser's (web-worker.mjs).",
  steps: {
    "lenet-step": () => trainingStep(lenet()),
    "mlp-step": () => trainingStep(mlp()),
    "cnn-step": () => trainingStep(cnn()),
    "adam-32m": adam,
    dispatch,
  },
});
// The worker threads would keep this process alive.
process.exit();
