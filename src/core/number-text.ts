/** Numbers and durations as text for people. */

/** 18432 as `18,432`. */
export const count = (value: number): string => Math.round(value).toLocaleString("en-US");

/** `1 digit`, `2 digits`; `2 classes` where the plural is given. */
export const plural = (value: number, noun: string, several = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : several}`;

/** A number with the largest prefix that leaves a digit before the point: `4.09 G`. */
export function prefixed(value: number, base: 1000 | 1024): string {
  const prefixes = ["", "k", "M", "G", "T", "P", "E"];
  let [scaled, power] = [value, 0];
  while (scaled >= base && power < prefixes.length - 1) {
    scaled /= base;
    power++;
  }
  if (power === 0) return `${count(value)} `;
  const digits = scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${prefixes[power]}`;
}

/** Bytes in binary units: `97.5 MiB`. */
export function byteText(value: number): string {
  const text = prefixed(value, 1024);
  return /[A-Za-z]$/.test(text) ? `${text.replace("k", "K")}iB` : `${text}B`;
}

/** 0.9893 as `98.93 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Seconds as `4.2 s`, `1 min 05 s` or `2 h 10 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** Seconds as a clock shows them: `0:07`, `1:02:09`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const pad = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${pad(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

/** Whether a result is a share of 1, which people read in per cent. */
const isShare = (name: string): boolean =>
  /accuracy|precision|recall|coverage|f1|exact/i.test(name) || name.includes("mAP");

/** A result in the way that its name asks for: `0.0312`, `98.93 %`. */
export const resultText = (name: string, value: number): string => (isShare(name) ? percent(value) : showNumber(value));

/** A name as a person says it: `validation_loss`, `learningRate`; capitals side by side stay, as in `mAP`. */
export const spoken = (name: string): string =>
  name.replaceAll("_", " ").replace(/(?<![A-Z])[A-Z](?![A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);

/** A result with its name: `loss 0.0312`, `accuracy 98.93 %`. */
export const namedResult = (name: string, value: number): string =>
  `${name.replaceAll("_", " ")} ${resultText(name, value)}`;

/** Results for a person, without those that are shown as a matrix, and without details, whose names have a point in them. */
export const namedResults = (results: Readonly<Record<string, number>>): string =>
  Object.entries(results)
    .filter(([name]) => !name.endsWith("confusionMatrix") && !name.includes("."))
    .map(([name, value]) => namedResult(name, value))
    .join("   ");

/** Four decimal places; none for large numbers and counts. */
const showNumber = (value: number): string =>
  Math.abs(value) >= 1000 || (value > 1 && Number.isInteger(value))
    ? count(value)
    : value.toFixed(Math.abs(value) < 0.001 && value !== 0 ? 6 : 4);
