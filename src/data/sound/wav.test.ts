/** WAV files: written and read again, every width written byte by byte, refusals. */
import { expect, it } from "vitest";
import { FileError } from "../../core/errors.ts";
import { encodeWav, readWav } from "./wav.ts";

/** A WAV file of a format, by hand: RIFF header, an odd chunk that is passed over, `fmt `, `data`. */
function file({
  code = 1,
  bits = 16,
  channels = 1,
  rate = 8000,
  data = [0, 0] as readonly number[],
  extensible = false,
}) {
  const u16 = (value: number) => [value & 255, value >> 8];
  const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
  const text = (name: string) => [...name].map((letter) => letter.charCodeAt(0));
  const frame = (channels * bits) / 8;
  const format = [extensible ? 0xfffe : code, channels]
    .flatMap(u16)
    .concat(u32(rate), u32(rate * frame), u16(frame), u16(bits));
  if (extensible) format.push(...u16(22), ...u16(bits), ...u32(0), ...u16(code), ...new Array<number>(14).fill(9));
  const odd = [...text("LIST"), ...u32(3), 1, 2, 3, 0];
  const body = [...text("WAVE"), ...odd, ...text("fmt "), ...u32(format.length), ...format];
  body.push(...text("data"), ...u32(data.length), ...data);
  return Uint8Array.from([...text("RIFF"), ...u32(body.length), ...body]);
}

// Expected by hand: full scale is 2^7, 2^15, 2^23, 2^31.
it.each([
  ["8 bits", file({ bits: 8, data: [0, 128, 192, 255] }), [-1, 0, 0.5, 127 / 128]],
  ["16 bits", file({ data: [0, 0x80, 0, 0x40, 1, 0] }), [-1, 0.5, 2 ** -15]],
  [
    "24 bits",
    file({ bits: 24, data: [0, 0, 0x80, 0, 0, 0x40, 1, 0, 0, 255, 255, 255] }),
    [-1, 0.5, 2 ** -23, -(2 ** -23)],
  ],
  ["32 bits", file({ bits: 32, data: [0, 0, 0, 0x80, 0, 0, 0, 0x40] }), [-1, 0.5]],
  ["32-bit floats", file({ code: 3, bits: 32, data: [0, 0, 0x80, 0xbf, 0, 0, 0, 0x3f] }), [-1, 0.5]],
  ["64-bit floats", file({ code: 3, bits: 64, data: [0, 0, 0, 0, 0, 0, 0xe0, 0x3f] }), [0.5]],
  ["an extensible header", file({ extensible: true, data: [0, 0x40] }), [0.5]],
])("reads %s", (_, bytes, expected) => {
  const { rate, channels } = readWav(bytes, "a.wav");
  expect(rate).toBe(8000);
  expect(channels.map((samples) => [...samples])).toEqual([expected]);
});

it("tells channels apart", () => {
  const { channels } = readWav(file({ channels: 2, data: [0, 0x40, 0, 0x80, 0, 0, 0, 0x40] }), "a.wav");
  expect(channels.map((samples) => [...samples])).toEqual([
    [0.5, 0],
    [-1, 0.5],
  ]);
});

it.each([8, 16] as const)("reads what it wrote, %i bits", (bits) => {
  const samples = Float32Array.of(-1, -0.5, 0, 0.25, 1, 7);
  const { rate, channels } = readWav(encodeWav({ rate: 16_000, channels: [samples, samples] }, bits), "a.wav");
  const most = 1 - 2 ** (1 - bits); // beyond full scale is cut off
  expect(rate).toBe(16_000);
  expect(channels.map((own) => [...own])).toEqual(new Array(2).fill([-1, -0.5, 0, 0.25, most, most]));
});

it.each([
  ["another file", new TextEncoder().encode("ID3 and no sound of this kind"), /does not begin as a WAV file/],
  ["an empty file", new Uint8Array(0), /does not begin as a WAV file/],
  [
    "one cut off",
    file({ data: [1, 2, 3, 4] }).subarray(0, -2),
    /its "data" needs 4 bytes, the file has 2 left; it is cut off/,
  ],
  ["one cut off before its samples", file({}).subarray(0, 48), /has no samples/],
  ["a coded one", file({ code: 85, bits: 16 }), /of format 85 with 16 bits, expected PCM/],
  [
    "half a frame",
    file({ channels: 2, data: [1, 2, 3, 4, 5, 6] }),
    /has 6 bytes of samples, expected whole frames of 4/,
  ],
  ["no samples", file({ data: [] }), /has 0 bytes of samples/],
  ["no channels", file({ channels: 0 }), /has 0 channels/],
  ["a rate of 0", file({ rate: 0 }), /at 0 Hz, expected one or more at 1000 to 192000/],
  ["a rate beyond all", file({ rate: 4_000_000_000 }), /at 4000000000 Hz/],
  ["not a number", file({ code: 3, bits: 32, data: [0, 0, 0xc0, 0x7f] }), /no finite numbers/],
])("refuses %s", (_, bytes, problem) => {
  expect(() => readWav(bytes, "a.wav")).toThrow(FileError);
  expect(() => readWav(bytes, "a.wav")).toThrow(problem);
});
