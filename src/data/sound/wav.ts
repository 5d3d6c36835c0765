/** WAV files (RIFF; IBM and Microsoft 1991, "Multimedia Programming Interface", ch. 3): read into samples, and written. */
import { FileError } from "../../core/errors.ts";

/** One or several channels of samples, of full scale from -1 to 1. */
export interface Sound {
  /** Samples a second. */
  readonly rate: number;
  /** Of equal lengths: one for mono, left and right for stereo. */
  readonly channels: readonly Float32Array[];
}

/** Codes of a `fmt ` chunk. */
const formats = { pcm: 1, float: 3, extensible: 0xfffe } as const;

/** Reads a sample of so many bits at a byte, of full scale from -1 to 1; bytes are unsigned, everything else is signed. */
const readers: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  "1/8": (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  "1/16": (view, at) => view.getInt16(at, true) / 2 ** 15,
  "1/24": (view, at) => (view.getUint16(at, true) / 2 ** 8 + view.getInt8(at + 2) * 2 ** 8) / 2 ** 15,
  "1/32": (view, at) => view.getInt32(at, true) / 2 ** 31,
  "3/32": (view, at) => view.getFloat32(at, true),
  "3/64": (view, at) => view.getFloat64(at, true),
};

/** Samples a second that sounds are recorded with, lowest and highest. */
const rates = [1000, 192_000] as const;

interface Format {
  readonly channels: number;
  readonly rate: number;
  /** Bytes of a sample. */
  readonly width: number;
  readonly read: (view: DataView, at: number) => number;
}

/** The format in a `fmt ` chunk. */
function formatOf(chunk: DataView, what: string): Format {
  if (chunk.byteLength < 16)
    throw new FileError(`${what}: its format takes ${chunk.byteLength} bytes, expected 16 or more; it is damaged`);
  const written = chunk.getUint16(0, true);
  // An extensible format has the code at the head of its 16-byte identifier.
  const code = written === formats.extensible && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : written;
  const [channels, rate, bits] = [chunk.getUint16(2, true), chunk.getUint32(4, true), chunk.getUint16(14, true)];
  const read = readers[`${code}/${bits}`];
  if (!read)
    throw new FileError(
      `${what}: its samples are of format ${code} with ${bits} bits, expected PCM (1) of 8, 16, 24 or 32 bits or floats (3) of 32 or 64; convert it to 16-bit PCM`,
    );
  if (channels < 1 || rate < rates[0] || rate > rates[1])
    throw new FileError(
      `${what}: has ${channels} channels at ${rate} Hz, expected one or more at ${rates.join(" to ")}; it is damaged`,
    );
  return { channels, rate, width: bits / 8, read };
}

/**
 * The samples of a WAV file of PCM or floats. Throws FileError, opening with `what` the file is, when it is of another
 * format, is cut off, or has no samples or ones that are no finite numbers.
 */
export function readWav(bytes: Uint8Array, what: string): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (tag(0) !== "RIFF" || tag(8) !== "WAVE")
    throw new FileError(`${what}: does not begin as a WAV file (RIFF … WAVE); convert it to WAV`);
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [name, size, start] = [tag(at), view.getUint32(at + 4, true), at + 8];
    if (start + size > bytes.length)
      throw new FileError(
        `${what}: its "${name.trim()}" needs ${size} bytes, the file has ${bytes.length - start} left; it is cut off`,
      );
    const chunk = new DataView(view.buffer, view.byteOffset + start, size);
    if (name === "fmt ") format = formatOf(chunk, what);
    if (name === "data") return samplesOf(chunk, format, what);
    at = start + size + (size % 2); // chunks begin at even places
  }
  throw new FileError(`${what}: has no samples (no "data" chunk); it is cut off or damaged`);
}

function samplesOf(data: DataView, format: Format | undefined, what: string): Sound {
  if (!format) throw new FileError(`${what}: its samples come before their format; it is damaged`);
  const { channels, rate, width, read } = format;
  const frame = channels * width;
  const count = data.byteLength / frame;
  if (count < 1 || !Number.isInteger(count))
    throw new FileError(
      `${what}: has ${data.byteLength} bytes of samples, expected whole frames of ${frame}, one at least; it is cut off or empty`,
    );
  const sound = Array.from({ length: channels }, (_, channel) =>
    new Float32Array(count).map((_, i) => read(data, i * frame + channel * width)),
  );
  if (!sound.every((samples) => samples.every(Number.isFinite)))
    throw new FileError(`${what}: has samples that are no finite numbers; record or export it anew`);
  return { rate, channels: sound };
}

/** A WAV file of PCM, 16 bits a sample or 8; what lies outside -1 to 1 is cut off. */
export function encodeWav({ rate, channels }: Sound, bits: 8 | 16 = 16): Uint8Array<ArrayBuffer> {
  const width = bits / 8;
  const frame = channels.length * width;
  const count = channels[0]?.length ?? 0;
  const view = new DataView(new ArrayBuffer(44 + count * frame));
  const tag = (at: number, name: string) => {
    for (let i = 0; i < 4; i++) view.setUint8(at + i, name.charCodeAt(i));
  };
  tag(0, "RIFF");
  view.setUint32(4, 36 + count * frame, true);
  tag(8, "WAVE");
  tag(12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, formats.pcm, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * frame, true);
  view.setUint16(32, frame, true);
  view.setUint16(34, bits, true);
  tag(36, "data");
  view.setUint32(40, count * frame, true);
  const full = 2 ** (bits - 1);
  for (const [channel, samples] of channels.entries())
    for (const [i, sample] of samples.entries()) {
      const level = Math.max(-full, Math.min(full - 1, Math.round(sample * full)));
      const at = 44 + i * frame + channel * width;
      if (bits === 8) view.setUint8(at, level + 128);
      else view.setInt16(at, level, true);
    }
  return new Uint8Array(view.buffer);
}
