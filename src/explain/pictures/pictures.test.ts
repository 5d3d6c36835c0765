/** Pictures of explanations: colours symmetric about 0, numbers beside them, texts escaped, nothing fetched. */
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { Tensor, tensor } from "../../core/tensor.ts";
import { heatImage, smallerMap, visible } from "./heat-image.ts";
import { pictureHtml } from "./html.ts";
import { explanationPage } from "./page.ts";
import { boundOf, type MapPicture, mostBars, type Picture, shareOf, signedText } from "./picture.ts";
import { picturePng } from "./png.ts";
import { pictureSvg } from "./svg.ts";

const map: MapPicture = {
  kind: "map",
  image: new Tensor("uint8", [1, 1, 3], Uint8Array.of(255, 255, 255)),
  values: new Tensor("float32", [1, 3], Float32Array.of(2, -1, 0)),
};
const words: Picture = {
  kind: "words",
  words: [{ text: "I <b>loved</b> ", value: 0.5 }, { text: "it & more", value: -1 }, { text: " " }],
};
const bars: Picture = {
  kind: "bars",
  bars: [
    { name: "petal <i>", shown: "5.1", value: 1 },
    { name: "sepal", shown: "", value: -4 },
  ],
};

test("values and their opposites have colours of one strength; the largest has the full colour, 0 the image's own", () => {
  // White under (213, 94, 0) in full, under (0, 114, 178) by half, and as it is.
  expect([...heatImage(map).data]).toEqual([213, 128, 255, 94, 185, 255, 0, 217, 255]);
  expect([shareOf(1, 2), shareOf(-3, 2), shareOf(5, 0)]).toEqual([0.5, -1, 0]);
});

test("one value among many does not make all others pale; few have their largest", () => {
  const many = Array.from({ length: 1000 }, (_, i) => (i === 7 ? -100 : i % 3));
  expect([boundOf(many), boundOf([1, -5, 2]), boundOf([])]).toEqual([2, 5, 0]);
  // All but one are 0.
  expect(boundOf(Array.from({ length: 1000 }, (_, i) => Number(i === 7)))).toBe(1);
});

test("numbers have a sign and three digits; bars are in the order of their sizes, and what is left out is added up", () => {
  expect([signedText(0.12345), signedText(-1234), signedText(0)]).toEqual(["+0.123", "-1230", "0"]);
  const named = [1, -5, 3, 2].map((value, i) => ({ name: `c${i}`, shown: "", value }));
  expect(mostBars({ kind: "bars", bars: named }, 3).map(({ name, value }) => [name, value])).toEqual([
    ["c1", -5],
    ["c2", 3],
    ["2 others", 3],
  ]);
  expect(mostBars({ kind: "bars", bars: named, inOrder: true }, 3)).toEqual(named);
});

test("standardized numbers are spread to be seen, several channels averaged; shares stay", () => {
  expect(visible(tensor([[[-1, 3]]])).toNumbers()).toEqual([0, 1]);
  expect(visible(tensor([[[0.25, 0.5]]])).toNumbers()).toEqual([0.25, 0.5]);
  expect(visible(tensor([[[0, 1]], [[1, 1]]])).toNumbers()).toEqual([0.5, 1]);
});

test("a smaller map has the mean of the values that each of its places stands for", () => {
  const image = new Tensor(
    "uint8",
    [1, 3, 4],
    Uint8Array.from({ length: 12 }, (_, i) => i),
  );
  const values = new Tensor(
    "float32",
    [3, 4],
    Float32Array.from({ length: 12 }, (_, i) => i),
  );
  const smaller = smallerMap({ kind: "map", image, values }, 2);
  expect([smaller.values.shape, smaller.values.toNumbers()]).toEqual([
    [2, 2],
    [2.5, 4.5, 8.5, 10.5],
  ]);
  expect(smaller.image.toNumbers()).toEqual([0, 2, 8, 10]);
  expect(smallerMap({ kind: "map", image, values }, 4).values).toBe(values);
});

describe.each([
  ["map", map, []],
  ["words", words, ["&lt;b&gt;loved&lt;/b&gt;", "it &amp; more"]],
  ["bars", bars, ["petal &lt;i&gt;", "5.1", "-4"]],
] as const)("%s", (_, picture, texts) => {
  test("as HTML and SVG escape their texts, and have numbers beside the colours", () => {
    for (const shown of [pictureHtml(picture), pictureSvg("why <a>", picture)]) {
      for (const text of texts) expect(shown).toContain(text);
      expect(shown).not.toMatch(/<b>|<i>|<a>|http:\/\/(?!www\.w3\.org)/);
    }
    if (picture.kind !== "bars") expect(pictureHtml(picture)).toMatch(/legend.*<span>-\d.*<span>0<.*<span>\+\d/);
  });

  test("as PNG is an image on white", () => {
    const { width, height, channels, data } = decode(picturePng(picture));
    expect([width > 100, height > 40, channels]).toEqual([true, true, 3]);
    expect([...data.slice(0, 3)]).toEqual([255, 255, 255]);
  });
});

test("letters that PNG files lack are an error that names another form", () => {
  expect(() => picturePng({ kind: "words", words: [{ text: "好", value: 1 }] })).toThrow(
    'the letters of PNG files have no "好"; write .svg or .html, which show all letters',
  );
});

test("a page is whole in itself, and escapes all that it says", () => {
  const page = explanationPage({
    title: "Why <x>",
    sentences: ["a & b"],
    pictures: [{ title: "<Columns>", picture: bars }],
    notes: ["<note>"],
  });
  expect(page).toContain("<h1>Why &lt;x&gt;</h1><p>a &amp; b</p>");
  expect(page).toContain('<p class="note">&lt;note&gt;</p>');
  expect(page).toContain("<h2>&lt;Columns&gt;</h2>");
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<script|https?:/);
  expect(page).toContain("prefers-color-scheme: dark");
});
