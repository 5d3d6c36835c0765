/** Depth at one budget of parameters, on MNIST (docs/depth.md). */
import { loadMnist } from "../src/node.ts";
import { depthExperiment } from "./shared/depth.ts";

export default depthExperiment({
  name: "depth-mnist",
  data: "MNIST",
  next: ["sardonyx train depth-gradients     how gradients fare on their way through 32 layers"],
  load: loadMnist,
});
