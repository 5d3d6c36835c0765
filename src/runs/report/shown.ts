/** Words and figures of a report, as the page and the document show them. */
import { count } from "../../core/number-text.ts";
import { inOneLine } from "../../core/printable.ts";
import { escapeXml } from "../../draw/plot.ts";

/** Text of files and settings within a page: it is shown, whatever it holds. */
export const shown = (text: string, most = 200): string =>
  escapeXml(inOneLine(text.length > most ? `${text.slice(0, most - 1)}…` : text));

/** A number with its sign, nought without. */
const signed = (digits: string): string => {
  if (Number(digits) === 0) return digits.replace("-", "");
  return digits.startsWith("-") ? digits : `+${digits}`;
};

/** By how much a metric worsens: points of accuracy fall, an error grows. */
export function worseText(metric: "accuracy" | "rmse", worsening: number): string {
  if (metric === "accuracy") return `${signed((-100 * worsening).toFixed(2))} %`;
  return signed(Math.abs(worsening) >= 1000 ? count(worsening) : String(Number(worsening.toPrecision(3))));
}
