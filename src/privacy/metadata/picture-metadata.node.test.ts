/** Pictures of all kinds, whose metadata go and whose pixels stay as another program decodes them. */
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import { withoutMetadata } from "./picture-metadata.ts";

const secret = "Erika Mustermann";
const latin = (text: string) => Buffer.from(text, "latin1");
const pixels = Buffer.from(Array.from({ length: 9 * 6 * 3 }, (_, i) => (i * 37) % 256));

/** A picture 9 wide and 6 high, by a camera on its side, with a name and a place in EXIF and XMP and with a colour profile. */
const taken = (orientation = 6) =>
  sharp(pixels, { raw: { width: 9, height: 6, channels: 3 } })
    .withMetadata({
      orientation,
      icc: "p3",
      exif: { IFD0: { Copyright: secret, Make: secret }, IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" } },
    })
    .withXmp(`<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/">${secret}</x:xmpmeta><?xpacket end="w"?>`);

const pictures: Readonly<Record<string, () => Promise<Buffer>>> = {
  JPEG: () => taken().jpeg().toBuffer(),
  "progressive JPEG": () => taken().jpeg({ progressive: true }).toBuffer(),
  "JPEG of CMYK": () => taken().toColourspace("cmyk").jpeg().toBuffer(),
  PNG: () => taken().png().toBuffer(),
  "interlaced PNG of a palette": () => taken().png({ progressive: true, palette: true }).toBuffer(),
  WebP: () => taken().webp().toBuffer(),
  "lossless WebP": () => taken().webp({ lossless: true }).toBuffer(),
};

const seen = async (picture: Uint8Array) => {
  const image = sharp(picture, { pages: -1 });
  const { orientation, icc, pages, loop, delay, width, height, space, hasProfile } = await image.metadata();
  return { orientation, icc, pages, loop, delay, width, height, space, hasProfile, raw: await image.raw().toBuffer() };
};

describe.each(Object.entries(pictures))("%s", (_, make) => {
  test("no name or place is left, and the picture is the same", async () => {
    const picture = await make();
    expect(picture.includes(secret)).toBe(true);
    const { bytes, removed } = withoutMetadata(picture);
    expect(Buffer.from(bytes).includes(secret)).toBe(false);
    expect(Buffer.from(bytes).includes("xmpmeta")).toBe(false);
    expect(removed.map(({ kind }) => kind)).toContain("EXIF");
    expect(await seen(bytes)).toEqual(await seen(picture));
    expect((await seen(bytes)).orientation).toBe(6);
    const { exif, xmp } = await sharp(bytes).metadata();
    expect(exif?.length).toBeLessThan(40);
    expect(xmp).toBeUndefined();
  });

  test("what is clean stays as it is", async () => {
    const once = withoutMetadata(await make()).bytes;
    const twice = withoutMetadata(once);
    expect(Buffer.compare(twice.bytes, once)).toBe(0);
  });

  test("what follows the picture goes", async () => {
    const picture = await make();
    const { bytes, removed } = withoutMetadata(Buffer.concat([picture, latin(secret)]));
    expect(Buffer.compare(bytes, withoutMetadata(picture).bytes)).toBe(0);
    expect(removed.at(-1)).toEqual({ kind: "after the picture", bytes: secret.length });
  });

  test("cut off anywhere before its last parts it is refused", async () => {
    const picture = await make();
    for (let end = 16; end < picture.length - 12; end += 7)
      expect(() => withoutMetadata(picture.subarray(0, end))).toThrow(FileError);
  });
});

test("an upright picture has no EXIF at all afterwards", async () => {
  for (const format of ["jpeg", "png", "webp"] as const) {
    const picture = await taken(1).toFormat(format).toBuffer();
    expect((await sharp(withoutMetadata(picture).bytes).metadata()).exif).toBeUndefined();
  }
});

test("JPEG: comments, thumbnails, further pictures and what applications put there", async () => {
  const plain = await sharp(pixels, { raw: { width: 9, height: 6, channels: 3 } })
    .jpeg()
    .toBuffer();
  const segment = (marker: number, text: string) =>
    Buffer.concat([Buffer.of(0xff, marker, 0, 2 + text.length), latin(text)]);
  // sharp writes no JFIF segment with a thumbnail: one of a single pixel.
  const header = segment(0xe0, "JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01\x09\x09\x09");
  const withAll = Buffer.concat([
    plain.subarray(0, 2),
    header,
    ...[
      segment(0xe0, `JFXX\0${secret}`),
      segment(0xe2, `MPF\0${secret}`),
      segment(0xed, `Photoshop 3.0\0${secret}`),
      segment(0xe5, secret),
      segment(0xfe, secret),
    ],
    Buffer.of(0xff),
    plain.subarray(2),
  ]);
  const { bytes, removed } = withoutMetadata(withAll);
  expect(removed.map(({ kind }) => kind)).toEqual([
    "thumbnail",
    "thumbnail",
    "further pictures",
    "IPTC",
    "of an application",
    "comment",
  ]);
  expect(Buffer.from(bytes).includes(secret)).toBe(false);
  expect(await seen(bytes)).toEqual(await seen(plain));
});

test("PNG: texts and the time, also behind the pixels", async () => {
  const plain = await sharp(pixels, { raw: { width: 9, height: 6, channels: 3 } })
    .png()
    .toBuffer();
  // Its check is not looked at: the chunk goes.
  const chunk = (type: string, text: string) =>
    Buffer.concat([Buffer.of(0, 0, 0, text.length), latin(type + text), Buffer.alloc(4)]);
  const end = plain.length - 12;
  const { bytes, removed } = withoutMetadata(
    Buffer.concat([
      plain.subarray(0, 33),
      chunk("tEXt", `Author\0${secret}`),
      chunk("caBX", secret),
      plain.subarray(33, end),
      chunk("tIME", "1234567"),
      chunk("iTXt", secret),
      plain.subarray(end),
    ]),
  );
  expect(removed.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["text", "of an application", "time", "text"]),
  );
  expect(Buffer.compare(bytes, withoutMetadata(plain).bytes)).toBe(0);
});

test.each(["gif", "webp"] as const)(
  "an animated %s keeps its frames, their times and how often it runs",
  async (format) => {
    const frames = sharp(pixels, { raw: { width: 9, height: 6, channels: 3, pageHeight: 3 } });
    const picture = await frames[format]({ loop: 3, delay: [100, 200] }).toBuffer();
    const { bytes } = withoutMetadata(picture);
    const [before, after] = [await seen(picture), await seen(bytes)];
    expect(before.pages).toBe(2);
    expect(after).toEqual(before);
  },
);

test("GIF: comments and XMP", async () => {
  const plain = await sharp(pixels, { raw: { width: 9, height: 6, channels: 3 } })
    .gif()
    .toBuffer();
  // XMP stands there as it is, and ends with all bytes from 255 down, which lead every reader to its end (XMP specification, part 3).
  const trailer = Buffer.from([1, ...Array.from({ length: 256 }, (_, i) => 255 - i), 0]);
  const inserted = Buffer.concat([
    latin(`!\xfe${String.fromCharCode(secret.length)}${secret}\0`),
    latin("!\xff\x0bXMP DataXMP"),
    latin(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${secret}</x:xmpmeta>`),
    trailer,
  ]);
  const at = plain.length - 1;
  const { bytes, removed } = withoutMetadata(Buffer.concat([plain.subarray(0, at), inserted, plain.subarray(at)]));
  expect(removed.map(({ kind }) => kind)).toEqual(["comment", "XMP"]);
  expect(Buffer.compare(bytes, plain)).toBe(0);
});

test("what is no picture, and what is damaged", async () => {
  expect(() => withoutMetadata(latin("hello"))).toThrow(
    "the bytes are no JPEG, PNG, WebP or GIF file; save the picture as one of these",
  );
  const jpeg = await taken().jpeg().toBuffer();
  expect(() => withoutMetadata(jpeg.subarray(0, 40))).toThrow(/ends at byte 40.*cut off or damaged, get it again/);
  jpeg[2] = 7;
  expect(() => withoutMetadata(Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0xfe, 0, 2), jpeg.subarray(2)]))).toThrow(
    "byte 6 of the picture is not what a JPEG file has there",
  );
});
