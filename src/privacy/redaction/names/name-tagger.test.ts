/** The tagger of names that comes with the package, at texts that it was not trained on. */
import { expect, test } from "vitest";
import { FileError } from "../../../core/errors.ts";
import { Tensor } from "../../../core/tensor.ts";
import { encodeSafetensors } from "../../../storage/safetensors.ts";
import { loadNameTagger } from "./load-name-tagger.node.ts";
import { nameTagger } from "./name-tagger.ts";
import { wordsOf } from "./name-words.ts";

const tagger = await loadNameTagger();
const namesIn = async (text: string) => (await tagger.find(text)).map(({ start, end }) => text.slice(start, end));

test.each([
  ["Dear Mr. Fitzgerald, your claim has been approved.", ["Fitzgerald"]],
  ["联系人：沈佳怡，电话已留。", ["沈佳怡"]],
  ["Kind regards,\nRebecca Sandoval", ["Rebecca Sandoval"]],
  ["May I ask what the weather is? Mark the date.", []],
  ["高兴的是，大家马上就要毕业了。", []],
  ["", []],
  ["  \n\n 12 345", []],
])("%j", async (text, names) => {
  expect(await namesIn(text)).toEqual(names);
});

test("a name is found wherever it stands in a long text, and once", async () => {
  const line = "The contract was signed by Rebecca Sandoval on Monday.\n";
  const text = line.repeat(120);
  const found = await tagger.find(text);
  expect(found.map(({ start }) => start)).toEqual(
    Array.from({ length: 120 }, (_, i) => i * line.length + line.indexOf("Rebecca")),
  );
});

test("words are cut at signs, at each Chinese character and before a possessive", () => {
  const texts = (text: string) => wordsOf(text).map(({ text: word }) => word);
  expect(texts("Ada's 3 cats, 王五")).toEqual(["Ada", "'s", "3", "cats", ",", "王", "五"]);
});

test("another file is refused", () => {
  const other = encodeSafetensors({ a: new Tensor("float32", [1], Float32Array.of(1)) });
  expect(() => nameTagger(other)).toThrow(FileError);
  expect(() => nameTagger(new Uint8Array(3))).toThrow(FileError);
});
