/** `npm start`: installs and compiles what is missing, then trains LeNet on MNIST. Further arguments go to `train`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { build, checkNode, install, root } from "./prepare.mjs";

checkNode();
if (!install() || !build()) {
  console.error("npm start: the installation or the compilation failed; its messages are above.");
  process.exit(1);
}
const args = [join(root, "bin/sardonyx.mjs"), "train", "lenet-mnist", ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: "inherit" });
// The terminal sends Ctrl-C to the child as well; this process waits until that has saved.
process.on("SIGINT", () => undefined);
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
