/** Frames in one place. */
import { expect, test } from "vitest";
import { animate } from "./animation.ts";

const written = async (frames: readonly string[], rows: number, columns: number) => {
  const texts: string[] = [];
  await animate(frames, { rows, columns, write: (text) => texts.push(text) }, 0);
  return texts;
};

test("each frame is taken away before the next", async () => {
  expect(await written(["a\nb", "c"], 24, 80)).toEqual(["a\nb\n", "\u001b[2A\u001b[J", "c\n", "\u001b[1A\u001b[J"]);
});

test("what the terminal cannot hold is left out: it could not be taken away", async () => {
  expect(await written(["a\nb"], 2, 80)).toEqual([]);
  expect(await written(["long"], 24, 3)).toEqual([]);
});
