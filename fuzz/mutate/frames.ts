/** Changes inside containers, which are put together again with the lengths and checksums of what is in them then. */
import { crc32, deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { unzipSync, zipSync } from "fflate";
import type { Random } from "../../src/core/random.ts";
import type { Files, Mutation } from "../target.ts";
import { changedBytes, pick, wholeNumbers } from "./bytes.ts";
import { changedJson } from "./json.ts";

type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

/** A change of the file of a name; what is no such container any more stays as it is. */
export const within =
  (name: string, change: Change): Mutation =>
  (files: Files, random: Random) => {
    const bytes = files[name];
    if (!bytes) return files;
    try {
      return { ...files, [name]: change(bytes, random) };
    } catch {
      return files;
    }
  };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Changes the header of a safetensors file, and writes the length that it has then. */
export const safetensorsHeader: Change = (bytes, random) => {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const changed = utf8(changedJson(header, random) ?? "{}");
  const result = new Uint8Array(8 + changed.length + bytes.length - 8 - length);
  new DataView(result.buffer).setBigUint64(0, BigInt(changed.length), true);
  result.set(changed, 8);
  result.set(bytes.subarray(8 + length), 8 + changed.length);
  return result;
};

/** Changes a JSON text in the metadata of a safetensors file. */
export const safetensorsMetadata =
  (key: string): Change =>
  (bytes, random) => {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    header.__metadata__[key] = changedJson(header.__metadata__[key], random);
    const changed = utf8(JSON.stringify(header));
    const result = new Uint8Array(8 + changed.length + bytes.length - 8 - length);
    new DataView(result.buffer).setBigUint64(0, BigInt(changed.length), true);
    result.set(changed, 8);
    result.set(bytes.subarray(8 + length), 8 + changed.length);
    return result;
  };

/** Changes what is within a gzip file. */
export const gzipContent =
  (change: Change): Change =>
  (bytes, random) =>
    new Uint8Array(gzipSync(change(new Uint8Array(gunzipSync(bytes)), random)));

/** Changes bytes. */
export const anyBytes: Change = (bytes, random) => changedBytes(bytes, random, [bytes]);

/** Changes the content of an entry of a zip archive, its name, or which entries there are. */
export const zipEntries =
  (changes: Readonly<Record<string, Change>>): Change =>
  (bytes, random) => {
    const entries: Record<string, Uint8Array> = unzipSync(bytes);
    const name = pick(random, Object.keys(entries));
    const own = entries[name] ?? new Uint8Array(0);
    const kind = random.integer(10);
    if (kind === 0) delete entries[name];
    else if (kind === 1) entries[pick(random, ["", "../x", "a".repeat(1000), `${name}\u0000`])] = own;
    else entries[name] = (changes[name] ?? anyBytes)(own, random);
    return zipSync(entries, { level: pick(random, [0, 6]) as 0 | 6 });
  };

/** Changes the JSON text of an entry. */
export const jsonText: Change = (bytes, random) => utf8(changedJson(new TextDecoder().decode(bytes), random) ?? "");

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const pngSignatureBytes = 8;

function pngChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks: Chunk[] = [];
  for (let at = pngSignatureBytes; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    chunks.push({ type, data: bytes.slice(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function pngOf(signature: Uint8Array, chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks.map(({ type, data }) => {
    const part = new Uint8Array(12 + data.length);
    const view = new DataView(part.buffer);
    view.setUint32(0, data.length);
    part.set(
      Uint8Array.from(type, (character) => character.charCodeAt(0)),
      4,
    );
    part.set(data, 8);
    view.setUint32(8 + data.length, crc32(part.subarray(4, 8 + data.length)));
    return part;
  });
  return new Uint8Array(Buffer.concat([signature, ...parts]));
}

/** A PNG of extents that its few bytes do not show: grey, of one colour. */
export const pngOfPixels: Change = (bytes, random) => {
  const [width, height] = [pick(random, [1, 3000, 6000, 20_000]), pick(random, [1, 3000, 6000, 20_000])];
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // One bit a pixel, and a byte before each row.
  header.set([1, 0, 0, 0, 0], 8);
  const pixels = new Uint8Array(deflateSync(new Uint8Array(height * (1 + Math.ceil(width / 8)))));
  const end = { type: "IEND", data: new Uint8Array(0) };
  return pngOf(bytes.subarray(0, pngSignatureBytes), [
    { type: "IHDR", data: header },
    { type: "IDAT", data: pixels },
    end,
  ]);
};

/** Changes a chunk of a PNG image: extents and colours in its header, pixels before they are packed, or which chunks there are. */
export const pngChunksOf: Change = (bytes, random) => {
  const chunks = pngChunks(bytes);
  const at = random.integer(chunks.length);
  const chunk = chunks[at] as Chunk;
  const kind = random.integer(6);
  const header = chunks[0] as Chunk;
  if (kind === 0) chunks.splice(at, 1);
  else if (kind === 1) chunks.splice(at, 0, chunk);
  else if (kind === 2 && chunk.type === "IDAT")
    chunks[at] = {
      type: "IDAT",
      data: new Uint8Array(deflateSync(anyBytes(new Uint8Array(inflateSync(chunk.data)), random))),
    };
  else if (kind < 5) {
    const data = header.data.slice();
    if (random.integer(2) === 0)
      new DataView(data.buffer).setUint32(pick(random, [0, 4]), pick(random, wholeNumbers) >>> 0);
    else data[8 + random.integer(5)] = pick(random, [0, 1, 2, 3, 4, 6, 8, 16, 255]);
    chunks[0] = { type: header.type, data };
  } else chunks[at] = { type: chunk.type, data: anyBytes(chunk.data, random) };
  return pngOf(bytes.subarray(0, pngSignatureBytes), chunks);
};

/** Changes the header of a file in a tar archive, or its content, and writes the checksum that the header has then. */
export const tarHeaders: Change = (bytes, random) => {
  const copy = bytes.slice();
  const block = 512 * random.integer(Math.max(1, Math.floor(copy.length / 512)));
  const header = copy.subarray(block, block + 512);
  const field = pick(random, [
    [0, 100],
    [100, 8],
    [124, 12],
    [156, 1],
    [157, 100],
    [257, 8],
    [345, 155],
  ] as const); // prettier-ignore
  const value = pick<() => string>(random, [
    () => `${pick(random, wholeNumbers).toString(8)}\u0000`,
    () => pick(random, ["", "../../x", "/etc/passwd", "a".repeat(155), "\u001b[31m", "7777777777777777"]),
    () => pick(random, ["0", "1", "2", "5", "x", "g", "L", "K", "S", "\u0000", "z"]),
    () => String.fromCharCode(0x80, ...Array.from({ length: 11 }, () => random.integer(256))),
  ])();
  for (let i = 0; i < field[1]; i++) header[field[0] + i] = value.charCodeAt(i) || 0;
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  for (const [i, character] of [...`${sum.toString(8).padStart(6, "0")}\u0000 `].entries())
    header[148 + i] = character.charCodeAt(0);
  return copy;
};
