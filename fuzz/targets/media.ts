/** Images, sounds, arrays of numbers, and the archives in which they come. */
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { packTar } from "modern-tar";
import sharp from "sharp";
import { memorySource } from "../../src/core/byte-source.ts";
import type { Random } from "../../src/core/random.ts";
import { readImage } from "../../src/data/images/image.node.ts";
import { decodeCifar10 } from "../../src/data/sets/cifar10.node.ts";
import { readIdx } from "../../src/data/sets/idx.ts";
import { readClip } from "../../src/data/sets/speech-commands.node.ts";
import { encodeWav, readWav } from "../../src/data/sound/wav.ts";
import { withoutMetadata } from "../../src/privacy/metadata/picture-metadata.ts";
import { gunzip } from "../../src/storage/gzip.ts";
import { readTar, tarFiles } from "../../src/storage/tar.ts";
import { tarMembers } from "../../src/storage/tar-index.ts";
import { readZip } from "../../src/storage/zip.ts";
import { pick, wholeNumbers } from "../mutate/bytes.ts";
import { anyBytes, gzipContent, pngChunksOf, pngOfPixels, tarHeaders, within, zipEntries } from "../mutate/frames.ts";
import { type Files, type Mutation, readAll, type Target } from "../target.ts";
import { fixture, oneFile, utf8 } from "./fixtures.ts";

/** A small image of each kind. */
async function imagesOfKinds() {
  const image = sharp(Buffer.from(Array.from({ length: 8 * 6 * 3 }, (_, i) => (i * 37) % 256)), {
    raw: { width: 8, height: 6, channels: 3 },
  });
  const kinds = {
    png: image.clone().png(),
    webp: image.clone().webp(),
    gif: image.clone().gif(),
    tiff: image.clone().tiff(),
    jpeg: image.clone().jpeg(),
  };
  return Promise.all(
    Object.values(kinds).map(async (encoder) => ({ image: new Uint8Array(await encoder.toBuffer()) })),
  );
}

const ofImage: Mutation = (files, random) =>
  files["image"]?.[0] === 0x89
    ? within("image", random.integer(40) === 0 ? pngOfPixels : pngChunksOf)(files, random)
    : within("image", anyBytes)(files, random);

export const images: Target = {
  name: "image",
  reads: "PNG, JPEG, WebP, GIF, TIFF: `readImage` with and without a size",
  seeds: async (): Promise<readonly Files[]> => [
    ...(await imagesOfKinds()),
    ...oneFile("image", "data/images/7/0.png", "data/images/1/2.jpg"),
  ],
  mutations: [ofImage],
  read: (input) =>
    readAll(
      () => readImage(input.path("image"), { size: [4, 4], channels: 1 }),
      () => readImage(input.path("image")),
    ),
};

export const metadata: Target = {
  name: "metadata",
  reads: "JPEG, PNG, WebP, GIF: `withoutMetadata`",
  seeds: async (): Promise<readonly Files[]> => (await imagesOfKinds()).filter((_, kind) => kind !== 3),
  mutations: [ofImage],
  read: (input) => readAll(() => withoutMetadata(input.bytes("image"))),
};

const sound = (bits: 8 | 16, channels: number) =>
  encodeWav(
    {
      rate: 8000,
      channels: Array.from({ length: channels }, () => Float32Array.from({ length: 200 }, (_, i) => Math.sin(i))),
    },
    bits,
  );

/** A number in the header of a WAV file overwritten. */
function wavHeader(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const value = pick(random, wholeNumbers);
  if (random.integer(2) === 0) view.setUint32(pick(random, [4, 16, 24, 28, 40]), value >>> 0, true);
  else
    view.setUint16(
      pick(random, [20, 22, 32, 34]),
      pick(random, [1, 2, 3, 8, 16, 24, 32, 64, 0xfffe, value & 0xffff]),
      true,
    );
  return copy;
}

export const wav: Target = {
  name: "wav",
  reads: "WAV: `readWav`, `readClip`",
  seeds: (): readonly Files[] => [
    { "sound.wav": sound(16, 1) },
    { "sound.wav": sound(8, 2) },
    { "sound.wav": fixture("data/keywords/yes/anika_nohash_0.wav") },
  ],
  mutations: [within("sound.wav", wavHeader)],
  read: (input) =>
    readAll(
      () => readWav(input.bytes("sound.wav"), "sound.wav"),
      () => readClip(input.path("sound.wav")),
    ),
};

const smallIdx = (code: number, width: number, ...extents: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(4 + 4 * extents.length + width * extents.reduce((a, b) => a * b, 1));
  bytes.set([0, 0, code, extents.length]);
  for (const [i, extent] of extents.entries()) new DataView(bytes.buffer).setUint32(4 + 4 * i, extent);
  return bytes;
};

export const idx: Target = {
  name: "idx",
  reads: "IDX, as it is and in gzip: `readIdx`",
  seeds: (): readonly Files[] => [
    { data: smallIdx(0x08, 1, 3, 4, 4) },
    { data: smallIdx(0x0d, 4, 2, 3) },
    { data: smallIdx(0x0b, 2, 5) },
    { data: new Uint8Array(gzipSync(smallIdx(0x08, 1, 3, 4, 4))) },
  ],
  mutations: [within("data", gzipContent(anyBytes)), within("data", anyBytes)],
  read: (input) => readIdx(input.bytes("data"), "data"),
};

export const gzip: Target = {
  name: "gzip",
  reads: "gzip: `gunzip`",
  seeds: (): readonly Files[] => [
    { "file.gz": new Uint8Array(gzipSync(utf8("hello ".repeat(50)))) },
    { "file.gz": new Uint8Array(gzipSync(new Uint8Array(100_000))) },
  ],
  mutations: [within("file.gz", gzipContent(anyBytes))],
  read: (input) => gunzip(input.bytes("file.gz"), "file.gz", 2 ** 28),
};

const tarOf = (files: Readonly<Record<string, Uint8Array>>) =>
  packTar(
    Object.entries(files).map(([name, body]) => ({ header: { name, size: body.length, type: "file" as const }, body })),
  );

export const tar: Target = {
  name: "tar",
  reads: "tar: `readTar`, `tarFiles`, `tarMembers`",
  seeds: async (): Promise<readonly Files[]> => [
    { "files.tar": await tarOf({ "a.txt": utf8("text"), "folder/b.bin": new Uint8Array(700) }) },
    { "files.tar": await tarOf({ [`${"long/".repeat(40)}name`]: utf8("text"), "é.txt": utf8("") }) },
  ],
  mutations: [within("files.tar", tarHeaders), within("files.tar", tarHeaders)],
  read: (input) => {
    const bytes = input.bytes("files.tar");
    async function* parts() {
      for (let at = 0; at < bytes.length; at += 300) yield bytes.subarray(at, at + 300);
    }
    return readAll(
      () => readTar(bytes, "files.tar"),
      async () => {
        for await (const _ of tarFiles(parts(), "files.tar"));
      },
      async () => [...tarMembers(memorySource(bytes), "files.tar")],
    );
  },
};

export const zip: Target = {
  name: "zip",
  reads: "zip: `readZip`, every entry",
  seeds: (): readonly Files[] => [
    { "files.zip": zipSync({ "a.txt": utf8("text ".repeat(40)), "folder/b.bin": new Uint8Array(700) }) },
    { "files.zip": zipSync({ "a.txt": utf8("text"), "b.txt": utf8("") }, { level: 0 }) },
  ],
  mutations: [within("files.zip", zipEntries({}))],
  read(input) {
    for (const entry of readZip(memorySource(input.bytes("files.zip"))).values()) {
      const source = entry.open();
      source.read(0, source.size);
    }
  },
};

export const cifar: Target = {
  name: "cifar",
  reads: "CIFAR-10's binary files",
  seeds: (): readonly Files[] => oneFile("data_batch_1.bin", "data/cifar10/data_batch_1.bin"),
  mutations: [],
  read: (input) => decodeCifar10([{ name: "data_batch_1.bin", bytes: input.bytes("data_batch_1.bin") }]),
};
