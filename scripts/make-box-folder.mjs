/**
 * Scenes of MNIST's digits as a folder of PNG files with boxes, as data of your own would lie: in COCO's form (`annotations.json`) or in YOLO's
 * (`images/`, `labels/`, `data.yaml`).
 *
 * node scripts/make-box-folder.mjs FOLDER [--form coco] [--scenes 400] [--side 96] [--seed 0]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    form: { type: "string", default: "coco" },
    scenes: { type: "string", default: "400" },
    side: { type: "string", default: "96" },
    seed: { type: "string", default: "0" },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error("name the folder to write: node scripts/make-box-folder.mjs FOLDER");
if (values.form !== "coco" && values.form !== "yolo") throw new Error("--form is coco or yolo");

const { digitScene, encodePng, foldIn, keyOf, Random, Tensor } = await import("../dist/src/index.js");
const { loadMnist } = await import("../dist/src/node.js");

const { train } = await loadMnist();
const side = Number(values.side);
const options = { side, most: 6, heights: [0.16 * side, 0.4 * side] };
const names = Array.from({ length: 10 }, (_, digit) => String(digit));
const coco = { images: [], annotations: [], categories: names.map((name, i) => ({ id: i + 1, name })) };
for (const part of values.form === "yolo" ? ["images", "labels"] : ["images"])
  mkdirSync(join(folder, part), { recursive: true });
for (let i = 0; i < Number(values.scenes); i++) {
  const random = new Random(foldIn(keyOf(Number(values.seed)), "scene", i));
  const { pixels, truth } = digitScene(train.tensors, options, random);
  const name = `scene-${String(i).padStart(4, "0")}`;
  writeFileSync(join(folder, "images", `${name}.png`), encodePng(new Tensor("uint8", [side, side], pixels)));
  coco.images.push({ id: i, file_name: `${name}.png`, width: side, height: side });
  const lines = truth.map(({ box: [left, top, right, bottom], label }) => {
    const bbox = [left, top, right - left, bottom - top];
    const id = coco.annotations.length + 1;
    coco.annotations.push({ id, image_id: i, category_id: label + 1, bbox, area: bbox[2] * bbox[3], iscrowd: 0 });
    const shares = [(left + right) / 2, (top + bottom) / 2, bbox[2], bbox[3]].map((pixel) => pixel / side);
    return `${[label, ...shares].join(" ")}\n`;
  });
  if (values.form === "yolo") writeFileSync(join(folder, "labels", `${name}.txt`), lines.join(""));
}
if (values.form === "coco") writeFileSync(join(folder, "annotations.json"), JSON.stringify(coco));
else writeFileSync(join(folder, "data.yaml"), `names:\n${names.map((name, i) => `  ${i}: "${name}"\n`).join("")}`);
console.log(`${coco.images.length} images with ${coco.annotations.length} boxes in ${folder}`);
