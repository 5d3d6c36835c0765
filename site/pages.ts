/** The pages of the site, in the order of their links. */

import { texts as depth } from "./depth/texts.ts";
import { texts as digits } from "./digits/texts.ts";
import { texts as gpt } from "./gpt/texts.ts";
import { texts as index } from "./index/texts.ts";
import { texts as inspect } from "./inspect/texts.ts";
import type { Texts } from "./shared/language.ts";
import { texts as transfer } from "./transfer/texts.ts";

/** A page: the folder of its sources, what it says, and whether it trains in a worker of its own. */
export interface SitePage {
  /** Its folder in `site/`, and its name in the built site. */
  readonly name: string;
  /** Key of its link among the common texts. */
  readonly link: string;
  /** Key of what the first page says of it. */
  readonly about?: string;
  readonly texts: Texts;
  /** Whether it has a `worker.ts`. */
  readonly hasWorker: boolean;
}

export const pages: readonly SitePage[] = [
  { name: "index", link: "home", texts: index, hasWorker: false },
  { name: "digits", link: "digits", about: "aboutDigits", texts: digits, hasWorker: true },
  { name: "inspect", link: "inspect", about: "aboutInspect", texts: inspect, hasWorker: true },
  { name: "gpt", link: "gpt", about: "aboutGpt", texts: gpt, hasWorker: true },
  { name: "depth", link: "depth", about: "aboutDepth", texts: depth, hasWorker: true },
  { name: "transfer", link: "transfer", about: "aboutTransfer", texts: transfer, hasWorker: true },
];
