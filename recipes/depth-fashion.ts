/** Depth at one budget of parameters, on Fashion-MNIST (docs/depth.md). */
import { loadFashionMnist } from "../src/node.ts";
import { depthExperiment } from "./shared/depth.ts";

export default depthExperiment({
  name: "depth-fashion",
  data: "Fashion-MNIST",
  next: ["sardonyx train depth-gradients     how gradients fare on their way through 32 layers"],
  load: loadFashionMnist,
});
