/** The pretrained network of the page: MobileNetV2 of the package nsfwjs (Sandler et al. 2018), cut behind its last convolution. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mobileNet } from "../../recipes/shared/mobilenet.ts";
import { activation, encodeOnnx, ops, sequential, upTo } from "../../src/index.ts";
import { side } from "./images.ts";

/** Where `npm ci --prefix test/published` puts the package. */
const folder = fileURLToPath(new URL("../../test/published/node_modules/nsfwjs", import.meta.url));

/** ONNX, float32 [N, side, side, 3] from 0 to 1 → features [N, 1280]; no bytes where the package is not installed, of which the page tells. */
export async function networkFile(): Promise<Uint8Array> {
  if (!existsSync(folder)) return new Uint8Array();
  const features = upTo(await mobileNet(folder), "out_relu");
  // [N, 3, 3, 1280], whose mean over the places is the feature.
  const model = sequential([features, activation((x) => ops.reduceMean(x, [1, 2]))]);
  return encodeOnnx(model, { inputs: { dtype: "float32", shape: [1, side, side, 3] } }).bytes;
}

/** The licence of the network, which goes with it. */
export const networkLicence = (): string =>
  `nsfwjs (MIT): MobileNetV2\n\n${readFileSync(join(folder, "LICENSE"), "utf8")}`;
