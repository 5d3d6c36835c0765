// The TensorFlow.js contenders in a browser: its webgl, wasm and webgpu backends on the models that Node's contender has, and a GPT.
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";
import { lenet, mlp } from "../contenders/tfjs-models.mjs";
import { backend, contend, threads } from "./contend.mjs";
import { gptStep } from "./tfjs-gpt.mjs";

setWasmPaths(new URL("tfjs-wasm/", location.href).href);
setThreadsCount(threads);
await tf.setBackend(backend);
await tf.ready();
await contend({ "lenet-step": lenet, "mlp-step": mlp, "gpt-small-step": gptStep });
