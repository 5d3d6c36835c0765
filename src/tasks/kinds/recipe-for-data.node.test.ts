/** Which recipe data is for: one case for each kind. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { recipeForData } from "./recipe-for-data.node.ts";

const folder = mkdtempSync(join(tmpdir(), "kinds-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file in a folder of its own. */
function given(path: string, text: string): string {
  const whole = join(folder, path);
  mkdirSync(join(whole, ".."), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}

describe("recipeForData", () => {
  it("takes rows of columns for a table", async () => {
    const path = given("iris.csv", "width,length,species\n1,2,a\n3,4,b\n");
    expect(await recipeForData(path)).toEqual({ recipe: "table", because: "a table" });
  });

  it("forecasts a table where it is asked to", async () => {
    const path = given("sales.csv", "date,sales\n2024-01-01,2\n2024-01-02,4\n");
    expect(await recipeForData(path, "forecast")).toEqual({ recipe: "series", because: "--task forecast" });
    expect(await recipeForData(path)).toEqual({ recipe: "table", because: "a table" });
  });

  it("takes files of images in folders for images, and whatever --task says so", async () => {
    given("shapes/circle/1.png", "");
    given("shapes/square/2.jpg", "");
    const path = join(folder, "shapes");
    expect(await recipeForData(path)).toEqual({ recipe: "images", because: "2 images in 2 folders" });
    given("described/1.png", "");
    given("described/metadata.csv", "file_name,label\n1.png,a\n");
    given("described/metadata.jsonl", "");
    expect((await recipeForData(join(folder, "described"))).recipe).toBe("images");
    expect(await recipeForData(join(folder, "x"), "images")).toEqual({ recipe: "images", because: "--task images" });
  });

  it("takes images with boxes for those in any form, and not images beside other texts", async () => {
    given("coco/images/1.png", "");
    given("coco/annotations.json", "{}");
    expect(await recipeForData(join(folder, "coco"))).toEqual({
      recipe: "boxes",
      because: "1 image with boxes in COCO's form",
    });
    const json = join(folder, "coco", "annotations.json");
    expect(await recipeForData(json)).toEqual({ recipe: "boxes", because: "boxes in COCO's form" });
    given("yolo/train/images/1.png", "");
    given("yolo/train/labels/1.txt", "0 0.5 0.5 1 1");
    expect(await recipeForData(join(folder, "yolo"))).toEqual({
      recipe: "boxes",
      because: "1 image with boxes in YOLO's form",
    });
    expect((await recipeForData(given("yolo/data.yaml", "names: [a]"))).because).toBe("boxes in YOLO's form");
    given("hub/1.png", "");
    given("hub/metadata.jsonl", '{"file_name": "1.png", "objects": {"bbox": [[0, 0, 1, 1]], "categories": [0]}}');
    expect((await recipeForData(join(folder, "hub"))).because).toBe("1 image with boxes in metadata.jsonl");
    // Of many files only the first are listed.
    for (let i = 0; i < 5001; i++) given(`many/train/${i}.png`, "");
    given("many/train/_annotations.coco.json", "{}");
    expect((await recipeForData(join(folder, "many"))).recipe).toBe("boxes");
    given("captions/1.png", "");
    given("captions/1.txt", "a dog in the snow");
    expect((await recipeForData(join(folder, "captions"))).recipe).toBe("images");
    expect(await recipeForData("x", "detection")).toEqual({ recipe: "boxes", because: "--task detection" });
  });

  it("takes labels for those of what the data are", async () => {
    given("marks/circle/1.png", "");
    given("marks/square/2.png", "");
    const tags = given("tags.csv", "text,tags\nA text about both,a|b\nAnother text of one,b\n");
    expect((await recipeForData(join(folder, "marks"), "labels")).recipe).toBe("images");
    expect((await recipeForData(tags, "labels")).recipe).toBe("texts");
  });

  it("says what it found where it knows no recipe", async () => {
    await expect(recipeForData(join(folder, "absent"))).rejects.toThrow("there is no file or folder");
    await expect(recipeForData(given("x/model.bin", "?"))).rejects.toThrow("a file that ends in .bin");
    await expect(recipeForData(join(folder, "x"))).rejects.toThrow("a folder of files such as model.bin");
  });
});
