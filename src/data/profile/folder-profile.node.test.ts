/** Profiles of folders of images, texts and sounds. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { encodeWav } from "../sound/wav.ts";
import { profilePath } from "./profile.node.ts";

const root = mkdtempSync(join(tmpdir(), "sardonyx-folders-"));
afterAll(() => rmSync(root, { recursive: true }));

const write = (path: string, content: string | Uint8Array) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
};
const textsOf = (profile: Awaited<ReturnType<typeof profilePath>>) =>
  profile.findings.map(({ text }) => text).join("\n");

/** An image with edges, from a number. */
const image = (seed: number, [width, height] = [40, 30]) =>
  sharp(
    Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return (Math.floor(x / 5) * 37 * seed + Math.floor(y / 5) * 91 * (seed + 1) + seed) % 256;
    }),
    { raw: { width, height, channels: 3 } },
  );

test("images of every mode, broken and duplicated ones", async () => {
  write("images/cat/rgb.jpg", await image(1).jpeg({ quality: 95 }).toBuffer());
  write("images/cat/again.jpg", await image(1).jpeg({ quality: 95 }).toBuffer());
  write("images/dog/similar.png", await image(1).png().toBuffer());
  write("images/cat/cmyk.jpg", await image(2).toColourspace("cmyk").jpeg().toBuffer());
  write("images/cat/deep.png", await image(3).toColourspace("rgb16").png().toBuffer());
  write("images/cat/palette.png", await image(4).png({ palette: true }).toBuffer());
  write("images/cat/turned.jpg", await image(5).jpeg().withMetadata({ orientation: 6 }).toBuffer());
  write("images/dog/grey.png", await image(6).toColourspace("b-w").png().toBuffer());
  write("images/dog/seen-through.webp", await image(7).ensureAlpha(0.5).webp().toBuffer());
  write(
    "images/dog/flat.png",
    await sharp({ create: { width: 20, height: 20, channels: 3, background: "red" } })
      .png()
      .toBuffer(),
  );
  write("images/dog/misnamed.png", await image(8).jpeg().toBuffer());
  write("images/dog/empty.png", "");
  write("images/dog/cut.jpg", (await image(9, [200, 200]).jpeg().toBuffer()).subarray(0, 900));
  write("images/dog/text.png", "no image");
  write("images/dog/notes.pdf", "%PDF");
  const profile = await profilePath(join(root, "images"), { samples: 4 });
  const { files, target, nearDuplicates } = profile;
  expect(profile).toMatchObject({ kind: "images", split: { by: "class" } });
  expect(files?.count).toBe(14);
  expect(files?.broken.map(({ path }) => path)).toEqual(["dog/cut.jpg", "dog/empty.png", "dog/text.png"]);
  expect(files?.broken[1]?.reason).toBe("is empty (0 bytes); get it anew, or remove it");
  expect(files?.duplicated).toEqual([["cat/again.jpg", "cat/rgb.jpg"]]);
  expect(target?.classes).toEqual([
    { value: "dog", count: 8 },
    { value: "cat", count: 6 },
  ]);
  expect(nearDuplicates).toMatchObject([{ items: ["cat/again.jpg", "dog/similar.png"], conflicting: true }]);
  const forms = files?.forms.map(({ value }) => value).join("\n");
  for (const form of ["CMYK", "16 bits", "palette", "turned by EXIF", "grey", "transparent"])
    expect(forms).toContain(form);
  // The turned one is 30 by 40.
  expect(files?.figures.find(({ name }) => name === "width")?.numbers).toMatchObject({ least: 20, most: 40 });
  expect(files?.samples).toHaveLength(4);
  expect(files?.samples[0]?.image).toMatch(/^data:image\/jpeg;base64,/);
  const texts = textsOf(profile);
  expect(texts).toContain("3 files of 14 cannot be read, such as dog/cut.jpg");
  expect(texts).toContain("1 file is of one colour, such as dog/flat.png");
  expect(texts).toContain("1 file is named .png though it is JPEG, such as dog/misnamed.png");
  expect(texts).toContain("1 file of other kinds, such as .pdf, is left out");
});

test("texts", async () => {
  const text = "The quick brown fox jumps over the lazy dog near the river bank on a sunny day in May";
  write("texts/good/a.txt", text);
  write("texts/bad/b.txt", `${text}.`);
  write("texts/bad/c.txt", Buffer.from("Sch\xf6n ist es hier", "latin1"));
  write("texts/bad/d.txt", "  \n");
  write("texts/bad/e.txt", "a\u0000b");
  const profile = await profilePath(join(root, "texts"));
  expect(profile).toMatchObject({ kind: "texts", files: { count: 5, broken: [{ path: "bad/e.txt" }] } });
  expect(profile.nearDuplicates).toMatchObject([
    { items: ["bad/b.txt", "good/a.txt"], similarity: 1, conflicting: true },
  ]);
  expect(textsOf(profile)).toContain("1 file is only of spaces, such as bad/d.txt");
});

test("a file that is in train and in test", async () => {
  for (const path of ["train/a/1.txt", "train/b/2.txt", "test/a/3.txt"])
    write(`parts/${path}`, `words of ${path.includes("2") ? "another" : "the same"} text`);
  expect(textsOf(await profilePath(join(root, "parts")))).toContain(
    "1 file of one part of the data is in another too, or almost, such as test/a/3.txt and train/a/1.txt",
  );
});

test("sounds", async () => {
  const tone = (rate: number, loudness: number, hertz: number) =>
    encodeWav({
      rate,
      channels: [Float32Array.from({ length: rate }, (_, i) => loudness * Math.sin((2 * Math.PI * hertz * i) / rate))],
    });
  write("sounds/owl/a.wav", tone(8000, 0.5, 440));
  write("sounds/owl/b.wav", tone(16_000, 0.5, 220));
  write("sounds/jay/silent.wav", tone(8000, 0, 440));
  write("sounds/jay/cut.wav", tone(8000, 0.5, 440).subarray(0, 20));
  const profile = await profilePath(join(root, "sounds"));
  expect(profile).toMatchObject({ kind: "sounds", files: { count: 4, broken: [{ path: "jay/cut.wav" }] } });
  expect(profile.files?.figures[0]).toMatchObject({ name: "seconds", numbers: { least: 1, most: 1 } });
  expect(textsOf(profile)).toContain("1 file is silent, such as jay/silent.wav");
});

test("what is no data", async () => {
  write("nothing/a.pdf", "");
  await expect(profilePath(join(root, "nothing"))).rejects.toThrow(
    "holds 1 files and none of them is an image, a text or a WAV file",
  );
  await expect(profilePath(join(root, "none"))).rejects.toThrow("there is no file or folder");
  await expect(profilePath(join(root, "sounds"), { target: "x" })).rejects.toThrow("leave the target out");
  write("broken/a.png", "");
  await expect(profilePath(join(root, "broken"))).rejects.toThrow("none of its 1 file can be read");
});
