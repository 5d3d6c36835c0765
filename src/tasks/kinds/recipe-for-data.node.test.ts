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

  describe("a table with dates", () => {
    const dayOf = (i: number) => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);
    const table = (name: string, head: string, line: (i: number) => string, rows = 60) =>
      given(`dates/${name}.csv`, [head, ...Array.from({ length: rows }, (_, i) => line(i))].join("\n"));
    const sales = (i: number) => (20 + 5 * Math.sin(i) + i / 7).toFixed(2);

    it.each([
      ["days", (i: number) => dayOf(i), "1 day"],
      ["days backwards", (i: number) => dayOf(100 - i), "1 day"],
      ["a few days missing", (i: number) => dayOf(i + Math.floor(i / 20)), "1 day"],
      ["months", (i: number) => `${2000 + Math.floor(i / 12)}-${String(1 + (i % 12)).padStart(2, "0")}-01`, "1 month"],
      ["weekdays", (i: number) => dayOf(7 * Math.floor(i / 5) + (i % 5)), "1 day from Monday to Friday"],
      ["hours", (i: number) => new Date(Date.UTC(2024, 0, 1, i)).toISOString(), "1 hour"],
    ])("in the order of time, by %s, is forecast", async (name, moment, step) => {
      const path = table(name, "date,sales", (i) => `${moment(i)},${sales(i)}`);
      expect(await recipeForData(path)).toEqual({
        recipe: "series",
        because: `a table in the order of time, by "date" in steps of ${step}, whose next numbers are forecast (--task regression predicts a column of its rows by the others)`,
      });
      expect((await recipeForData(path, "regression")).recipe).toBe("table");
      expect((await recipeForData(path, undefined, "sales")).recipe).toBe("series");
      expect((await recipeForData(path, undefined, "date")).recipe).toBe("table");
    });

    it.each([
      ["dates of birth", "born,height", (i: number) => `${dayOf((i * 7919) % 9000)},${sales(i)}`],
      ["events of one day", "date,amount", (i: number) => `${dayOf(Math.floor(i / 2))},${sales(i)}`],
      ["events now and then", "date,amount", (i: number) => `${dayOf(i * i)},${sales(i)}`],
      ["several series", "date,shop,sales", (i: number) => `${dayOf(i >> 1)},${i % 2 ? "a" : "b"},${sales(i)}`],
      ["a category to predict", "date,rain,weather", (i: number) => `${dayOf(i)},${sales(i)},${i % 3 ? "sun" : "fog"}`],
      ["a code of few values", "date,weekday,sales", (i: number) => `${dayOf(i)},${i % 5},${sales(i)}`],
      ["two dates", "sent,paid,amount", (i: number) => `${dayOf(i)},${dayOf(i + 3)},${sales(i)}`],
      ["a date that is missing", "date,sales", (i: number) => `${i === 9 ? "" : dayOf(i)},${sales(i)}`],
      ["most steps missing", "date,sales", (i: number) => `${dayOf(i < 30 ? i : i + 90)},${sales(i)}`],
      ["dates alone", "date,name", (i: number) => `${dayOf(i)},"name ${i}"`],
    ])("of %s is a table", async (name, head, line) => {
      expect((await recipeForData(table(name, head, line))).recipe).not.toBe("series");
    });

    it("of few rows is a table", async () => {
      expect((await recipeForData(table("few", "date,sales", (i) => `${dayOf(i)},${sales(i)}`, 20))).recipe).toBe(
        "table",
      );
    });
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
