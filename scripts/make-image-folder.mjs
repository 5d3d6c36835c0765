/**
 * Fashion-MNIST as a folder of PNG files with a folder for each class, as data of your own would lie.
 *
 * node scripts/make-image-folder.mjs FOLDER [--shots 200] [--seed 0]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { shots: { type: "string", default: "200" }, seed: { type: "string", default: "0" } },
});
const [folder] = positionals;
if (folder === undefined) throw new Error("name the folder to write: node scripts/make-image-folder.mjs FOLDER");

const { encodePng, gatherRows, keyOf, sampleShots, Tensor } = await import("../dist/src/index.js");
const { loadFashionMnist } = await import("../dist/src/node.js");

const { train, classes } = await loadFashionMnist();
const { x, y } = train.tensors;
const { support } = sampleShots(y, Number(values.shots), keyOf(Number(values.seed)));
const [images, labels] = [gatherRows(x, support), gatherRows(y, support)];
const [, ...shape] = images.shape;
const size = shape.reduce((product, extent) => product * extent, 1);
for (const name of classes) mkdirSync(join(folder, name.replaceAll("/", "-")), { recursive: true });
for (let i = 0; i < support.length; i++) {
  const image = new Tensor("uint8", shape, images.data.subarray(i * size, (i + 1) * size));
  const name = classes[Number(labels.data[i])].replaceAll("/", "-");
  writeFileSync(join(folder, name, `${i}.png`), encodePng(image));
}
console.log(`${support.length} images of ${classes.length} classes in ${folder}`);
