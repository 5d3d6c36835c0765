/** MobileNetV2 as nsfwjs publishes it, with a new head on one of its layers, for small grey images. */
import { z } from "zod";
import {
  type AnyModule,
  activation,
  dense,
  FileError,
  flatten,
  freezeNormalization,
  keyOf,
  type Module,
  modelFromTfjs,
  ops,
  sequential,
  unfreezeLast,
  upTo,
  type Value,
} from "../../src/index.ts";
import { moduleIn, packageFolder } from "./published.ts";

/** Files of a model that the package keeps in modules: a JSON document, and weights in base 64. */
const part = z.object({ default: z.unknown() }).transform(({ default: content }) => content);
const bundles = z.object({
  MobileNetV2Model: z.object({
    modelJson: z.custom<() => Promise<unknown>>((value) => typeof value === "function"),
    weightBundles: z.array(z.custom<() => Promise<unknown>>((value) => typeof value === "function")).length(1),
  }),
});

/** The network of the package nsfwjs (Sandler et al. 2018), with its weights or from random ones. Takes [N, height, width, 3] from 0 to 1. */
export async function mobileNet(folder: string, randomSeed?: number): Promise<Module<Value, unknown>> {
  const home = packageFolder("nsfwjs", folder);
  const found = bundles.safeParse(moduleIn(home, "nsfwjs/models/mobilenet_v2"));
  const [load] = found.data?.MobileNetV2Model.weightBundles ?? [];
  if (!found.success || !load)
    throw new FileError(`${home} holds no MobileNetV2 as nsfwjs 4 does; run "npm install nsfwjs@4"`);
  const published = part.parse(await found.data.MobileNetV2Model.modelJson());
  // Running statistics that keep 99.9 % at each step would still be random when few images have been learned.
  const quick = (key: string, value: unknown) => (key === "momentum" ? 0.9 : value);
  const json = randomSeed === undefined ? published : JSON.parse(JSON.stringify(published), quick);
  const weights = z.string().parse(part.parse(await load()));
  const network = modelFromTfjs(json, { open: () => Buffer.from(weights, "base64") });
  if (randomSeed !== undefined) {
    for (const parameter of network.parameters().values()) parameter.value = undefined;
    // The file says that its layers are not to be trained.
    network.unfreeze();
    network.initialize(keyOf(randomSeed));
  }
  return network as unknown as Module<Value, unknown>;
}

/** Pixels in a row and a column of what the network sees. */
const side = 64;

/** Grey images [N, 1, 28, 28] as photographs, [N, 64, 64, 3]. */
export const enlarge = (x: Value): Value => {
  const large = ops.resize(x, [side, side], { mode: "linear" });
  return ops.transpose(ops.concat([large, large, large], 1), [0, 2, 3, 1]);
};

/** Means of 4 x 4 regions of [N, height, width, C], of fewer where the height and the width are no multiples. */
function regions(x: Value): Value {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const parts = [4, 3, 2, 1].find((count) => height % count === 0 && width % count === 0) ?? 1;
  const grouped = ops.reshape(x, [batch, parts, height / parts, parts, width / parts, channels]);
  return ops.reduceMean(grouped, [2, 4]);
}

/** Classifies grey images [N, 1, 28, 28] by a dense layer on where what a layer of the network finds lies. */
export const onLayer = (network: Module<Value, unknown>, layer: string): AnyModule =>
  sequential([activation(enlarge), upTo(network, layer), activation(regions), flatten(), dense(10)]);

/**
 * Trains the head and the last blocks of what lies below it, with what belongs to the layer itself; what normalizes stays as it is. Of 0
 * blocks the head alone is trained.
 */
export function trainLast(model: AnyModule, blocks: number): void {
  unfreezeLast(model, blocks);
  if (blocks > 0) freezeNormalization(model, "all");
  else model.freeze("layers.1");
}
