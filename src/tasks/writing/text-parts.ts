/** A text in three parts, one behind the other. */

/** What is trained on, what decides about settings, and what is tested on. */
export interface TextThirds {
  readonly train: string;
  readonly validation: string;
  readonly test: string;
}

/** How far a border is moved to the end of a line, as a share of the text. */
const nearness = 0.01;

/** A place near `at` behind which a line begins; `at` itself where there is none. */
function lineNear(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end >= 0 && end - at <= nearness * text.length ? end + 1 : at;
}

/**
 * The last tenth of a text to test on, of what is before it the last tenth to validate, and the rest to train on; cut between lines where
 * lines are short.
 */
export function partsOfText(text: string): TextThirds {
  const end = lineNear(text, Math.floor(0.9 * text.length));
  const border = Math.min(end, lineNear(text, Math.floor(0.81 * text.length)));
  return { train: text.slice(0, border), validation: text.slice(border, end), test: text.slice(end) };
}
