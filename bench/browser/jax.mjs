// The jax-js contenders in a browser: its WebAssembly and WebGPU devices on the models that Node's contender has, and a GPT.
import { defaultDevice, init } from "@jax-js/jax";
import { lenet, mlp } from "../contenders/jax-models.mjs";
import { trainingStep } from "../contenders/jax-step.mjs";
import { backend, contend } from "./contend.mjs";
import { gptModel } from "./jax-gpt.mjs";

await init(backend);
defaultDevice(backend);
await contend({
  "lenet-step": () => trainingStep(lenet()),
  "mlp-step": () => trainingStep(mlp()),
  "gpt-small-step": () => trainingStep(gptModel()),
});
