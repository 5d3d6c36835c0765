/** Boxes as files say them: each form, and what is wrong with files, left out or refused. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { LeftOut } from "./annotated-images.ts";
import { listBoxes } from "./list-boxes.node.ts";
import { labelFileOf } from "./read-yolo.node.ts";
import { drawScene, writeText } from "./testing/draw-scenes.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-boxes-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder of its own with empty files of images, which readers of annotations do not open, and of texts. */
function given(name: string, images: readonly string[], texts: Readonly<Record<string, string | object>>): string {
  const path = join(folder, name);
  for (const image of images) writeText(join(path, image), "");
  for (const [file, text] of Object.entries(texts))
    writeText(join(path, file), typeof text === "string" ? text : JSON.stringify(text));
  return path;
}

/** What is read of a path, shortened, and what was left out of it. */
async function read(path: string) {
  const leftOut = new LeftOut();
  const { images, unit, names, what } = await listBoxes(path, leftOut);
  return {
    ...{ unit, names, what },
    images: images.map((own) => ({
      name: own.path.slice(folder.length + 1),
      part: own.part,
      boxes: own.objects.map(({ label, box, isCrowd }) => [label, ...box, ...(isCrowd ? ["crowd"] : [])].join(" ")),
    })),
    notes: leftOut.notes(),
  };
}

const categories = [
  { id: 90, name: "dog" },
  { id: 4, name: "cat" },
];

describe("COCO's form", () => {
  const image = (id: number, file_name: string) => ({ id, file_name, width: 64, height: 48 });

  test("categories of any ids, crowds, images without objects", async () => {
    const path = given("coco", ["images/a.png", "images/b.jpg", "images/extra.png"], {
      "annotations.json": {
        images: [image(1, "a.png"), image(2, "b.jpg")],
        annotations: [
          { id: 1, image_id: 1, category_id: 4, bbox: [1, 2, 10, 20], iscrowd: 0 },
          { id: 2, image_id: 1, category_id: 90, bbox: [0.5, 0, 3, 4], iscrowd: 1 },
        ],
        categories,
      },
    });
    expect(await read(path)).toEqual({
      unit: "pixels",
      names: ["dog", "cat"],
      what: "boxes in COCO's form",
      images: [
        { name: "coco/images/a.png", part: undefined, boxes: ["cat 1 2 11 22", "dog 0.5 0 3.5 4 crowd"] },
        { name: "coco/images/b.jpg", part: undefined, boxes: [] },
      ],
      notes: ["left out: 1 image that no annotation names, such as images/extra.png"],
    });
    // The file itself is as good.
    expect((await read(join(path, "annotations.json"))).images).toHaveLength(2);
  });

  test("a file for each part, whose images may be called alike", async () => {
    const file = (id: number) => ({
      images: [image(id, "1.jpg")],
      annotations: [{ id: 1, image_id: id, category_id: 4, bbox: [id, 0, 5, 5] }],
      categories,
    });
    const path = given("parts", ["train2017/1.jpg", "val2017/1.jpg"], {
      "annotations/instances_train2017.json": file(1),
      "annotations/instances_val2017.json": file(2),
      "annotations/captions_train2017.json": { annotations: [] },
    });
    const expected = [
      { name: "parts/train2017/1.jpg", part: "train", boxes: ["cat 1 0 6 5"] },
      { name: "parts/val2017/1.jpg", part: "validation", boxes: ["cat 2 0 7 5"] },
    ];
    expect((await read(path)).images).toEqual(expected);
    // Of one file alone, beside which the images lie a folder higher, no part is told.
    const one = await read(join(path, "annotations", "instances_train2017.json"));
    expect(one.images).toEqual([{ ...expected[0], part: undefined }]);
    const roboflow = given("roboflow", ["train/1.jpg", "valid/1.jpg", "test/1.jpg"], {
      "train/_annotations.coco.json": file(1),
      "valid/_annotations.coco.json": file(2),
      "test/_annotations.coco.json": file(3),
    });
    expect((await read(roboflow)).images.map(({ name, part, boxes }) => [name, part, ...boxes])).toEqual([
      ["roboflow/test/1.jpg", "test", "cat 3 0 8 5"],
      ["roboflow/train/1.jpg", "train", "cat 1 0 6 5"],
      ["roboflow/valid/1.jpg", "validation", "cat 2 0 7 5"],
    ]);
  });

  test("what does not belong together is left out and counted", async () => {
    const path = given("stray", ["a.png", "sub/b.png"], {
      "annotations.json": {
        images: [image(1, "a.png"), image(2, "../../b.png"), image(3, "none.png"), { id: 4 }, image(1, "a.png")],
        annotations: [
          { id: 1, image_id: 7, category_id: 4, bbox: [1, 2, 10, 20] },
          { id: 2, image_id: 1, category_id: 5, bbox: [1, 2, 10, 20] },
          { id: 3, image_id: 1, category_id: 4, bbox: [1, 2, 10] },
          { id: 4, image_id: 1, category_id: 4, bbox: [1, 2, null, 4] },
          { image_id: 1, category_id: 4 },
          7,
        ],
        categories,
      },
    });
    const { images, notes } = await read(path);
    // A name that leads out of the folder means the only file in it that is called so.
    expect(images.map(({ name }) => name)).toEqual(["stray/a.png", "stray/sub/b.png"]);
    expect(notes).toEqual([
      "left out: 2 boxes of images that there are not, such as annotations.json: annotation 1; annotations.json: annotation 6 of the list",
      "left out: 1 box of a class that there is not, such as annotations.json: annotation 2",
      "left out: 3 boxes whose four values are not all numbers, such as annotations.json: annotation 3; annotations.json: annotation 4; annotations.json: annotation 5 of the list",
      "left out: 1 image that is named and not there, such as annotations.json: none.png",
      "left out: 1 entry of an image without id and file_name, such as annotations.json: image 4 of the list",
      "left out: 1 entry of an image that has one already, such as annotations.json: a.png",
    ]);
  });

  test.each([
    ["cut", '{"images": [{"id": 1,\n"file_na', /annotations\.json: line 2: is no JSON .*; the file may be cut/],
    ["NaN", '{"images": [],\n\n"annotations": [{"bbox": [NaN]}]}', /annotations\.json: line 3: is no JSON/],
    ["a list", "[]", /"images" is missing, expected a list; write COCO's/],
    ["no categories", '{"images": [], "annotations": []}', /"categories" is missing, expected a list/],
    [
      "a category without a name",
      '{"images": [], "annotations": [], "categories": [{"id": 1}]}',
      /category 1 has the id 1 and the name missing/,
    ],
    [
      "categories of one id",
      '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
      /two categories have the id 1/,
    ],
    ["nested too deep", "[".repeat(600) + "]".repeat(600), /the limit jsonDepth/],
  ])("%s is refused", async (name, text, message) => {
    await expect(read(given(`bad ${name}`, ["a.png"], { "annotations.json": text }))).rejects.toThrow(message);
  });
});

describe("YOLO's form", () => {
  test("images and labels side by side; one without a file is without objects", async () => {
    const path = given("yolo", ["images/a.png", "images/b.png"], {
      "labels/a.txt": "0 0.5 0.5 0.5 0.25\r\n\r\n1\t0.25  0.5 0.5 1\n",
      "labels/gone.txt": "0 0.5 0.5 0.5 0.5",
      "labels/classes.txt": "dog\nblack cat\n",
      "data.yaml": "path: .\nnc: 2\n",
    });
    expect(await read(path)).toEqual({
      unit: "fractions",
      names: ["dog", "black cat"],
      what: "boxes in YOLO's form",
      images: [
        { name: "yolo/images/a.png", part: undefined, boxes: ["dog 0.25 0.375 0.75 0.625", "black cat 0 0 0.5 1"] },
        { name: "yolo/images/b.png", part: undefined, boxes: [] },
      ],
      notes: ["left out: 1 file of labels without its image, such as labels/gone.txt"],
    });
  });

  test("parts as folders around or within; outlines; numbers for classes without names", async () => {
    const within = given("within", ["images/train/a.png", "images/val/a.png"], {
      "labels/train/a.txt": "10 0.1 0.2 0.3 0.2 0.2 0.6",
      "labels/val/a.txt": "2 0.5 0.5 1 1",
    });
    expect(await read(within)).toMatchObject({
      names: ["2", "10"],
      images: [
        { name: "within/images/train/a.png", part: "train", boxes: ["10 0.1 0.2 0.3 0.6"] },
        { name: "within/images/val/a.png", part: "validation", boxes: ["2 0 0 1 1"] },
      ],
    });
    const around = given("around", ["train/images/a.png", "valid/images/a.png", "test/images/a.png"], {
      "train/labels/a.txt": "0 0.5 0.5 1 1",
      "data.yaml": "names: ['dog']\n",
    });
    // Its data.yaml stands for the folder.
    expect(await read(join(around, "data.yaml"))).toEqual(await read(around));
    expect((await read(around)).images.map(({ part, boxes }) => [part, ...boxes])).toEqual([
      ["test"],
      ["train", "dog 0 0 1 1"],
      ["validation"],
    ]);
    const beside = given("beside", ["a.png"], { "a.txt": "0 0.5 0.5 1 1", "classes.txt": "dog" });
    expect((await read(beside)).images).toMatchObject([{ boxes: ["dog 0 0 1 1"] }]);
    expect(labelFileOf("images/train/images/a.b.png")).toBe("images/train/labels/a.b.txt");
  });

  test("lines that are no boxes are left out and counted", async () => {
    const path = given("lines", ["images/a.png"], {
      "labels/a.txt":
        "0 0.5 0.5 1 1\n0 0.5 0.5 1\n0 0.5 0.5 1 1 0.9\n-1 0.5 0.5 1 1\n7 0.5 0.5 1 1\n0 nan 0.5 1 1\ndog 0.5 0.5 1 1\n0 0.5 0.5 1 inf",
      "data.yaml": "names: [dog, cat]",
    });
    const { images, notes } = await read(path);
    expect(images[0]?.boxes).toEqual(["dog 0 0 1 1"]);
    expect(notes).toEqual([
      "left out: 4 lines with other than a class and four numbers, such as labels/a.txt: line 2; labels/a.txt: line 3; labels/a.txt: line 4",
      "left out: 1 box of a class that there is not, such as labels/a.txt: line 5",
      "left out: 2 boxes whose four values are not all numbers, such as labels/a.txt: line 6; labels/a.txt: line 8",
    ]);
  });

  test.each([
    [
      "per cent",
      "0 0.5 0.5 1 1\n0 50 50 20 10",
      /a\.txt: line 2: "0 50 50 20 10" has 50 .* divide per cent by 100, or/,
    ],
    ["pixels", "0 320 50 20 10", /a\.txt: line 1: "0 320 50 20 10" has 320 where fractions .*; divide pixels by/],
    ["commas", "0 0.5 0.5 1 1\n0,0.5,0.5,1,1", /a\.txt: line 2: "0,0\.5,0\.5,1,1" has "," in it; write the class and/],
    ["decimal commas", "0 0,5 0,5 1 1", /line 1: .* has "," in it; .* a point before decimals/],
  ])("%s are refused with file, line and mend", async (name, text, message) => {
    await expect(read(given(`bad-${name}`, ["images/a.png"], { "labels/a.txt": text }))).rejects.toThrow(message);
  });
});

describe("metadata.jsonl", () => {
  test("objects of each line, in parts or not", async () => {
    const line = (file_name: string, objects: object | null) => `${JSON.stringify({ file_name, objects })}\n`;
    const path = given("hub", ["train/a.png", "train/b.png", "test/a.png"], {
      "train/metadata.jsonl":
        line("a.png", { bbox: [[1, 2, 3, 4]], categories: ["dog"] }) +
        line("b.png", null) +
        line("none.png", { bbox: [], categories: [] }) +
        line("a.png", { bbox: [], categories: [] }),
      "test/metadata.jsonl": line("a.png", { bbox: [[0, 0, 5, 5], ["x"]], category: [10, 9] }),
    });
    expect(await read(path)).toEqual({
      unit: "pixels",
      names: ["10", "dog"],
      what: "boxes in metadata.jsonl",
      images: [
        { name: "hub/test/a.png", part: "test", boxes: ["10 0 0 5 5"] },
        { name: "hub/train/a.png", part: "train", boxes: ["dog 1 2 4 6"] },
        { name: "hub/train/b.png", part: "train", boxes: [] },
      ],
      notes: [
        "left out: 1 box whose four values are not all numbers, such as metadata.jsonl: line 1, box 2",
        "left out: 1 image that is named and not there, such as metadata.jsonl: line 3: none.png",
        "left out: 1 entry of an image that has one already, such as metadata.jsonl: line 4: a.png",
      ],
    });
  });

  test.each([
    [
      "unlike lists",
      '{"bbox": [[1, 2, 3, 4]], "categories": []}',
      /metadata\.jsonl: line 2: "bbox" is a list of 1 and/,
    ],
    ["a list", '[{"bbox": [1, 2, 3, 4]}]', /metadata\.jsonl: line 2: "objects" is a list of 1; write "objects": \{/],
  ])("%s are refused", async (name, objects, message) => {
    const first = '{"file_name": "b.png", "objects": {"bbox": [], "categories": []}}\n';
    const text = `${first}{"file_name": "a.png", "objects": ${objects}}\n`;
    await expect(read(given(`hub ${name}`, ["a.png", "b.png"], { "metadata.jsonl": text }))).rejects.toThrow(message);
  });
});

test("what has no boxes, or is not there, is refused with the forms", async () => {
  await expect(read(join(folder, "absent"))).rejects.toThrow(/there is no file or folder .*absent/);
  await expect(read(given("only images", ["a.png"], {}))).rejects.toThrow(/has images and no boxes of them; give a/);
  await expect(read(given("no images", [], { "annotations.json": "{}" }))).rejects.toThrow(/holds no images; give a/);
  const text = given("a text", ["a.png"], { "a.txt": "a caption" });
  await expect(read(join(text, "a.txt"))).rejects.toThrow(/is neither \.json, \.jsonl nor \.yaml; give a/);
  await expect(read(text)).rejects.toThrow(/has images and no boxes of them/);
});

test("a JSON of more bytes than the limit is refused before it is read", async () => {
  const { readBounded } = await import("./json-file.node.ts");
  const path = join(folder, "large.json");
  writeFileSync(path, "x".repeat(100));
  await expect(readBounded(path, 50)).rejects.toThrow(/large\.json: has 100 bytes, and 50 is the limit/);
  mkdirSync(join(folder, "folder.json"));
  await expect(readBounded(join(folder, "folder.json"))).rejects.toThrow(/is a folder, expected a file/);
  expect(drawScene(join(folder, "a.png"), { seed: 1 }).length).toBeGreaterThan(0);
});
