/** One explanation as a page of HTML that needs nothing beside it. */
import { inOneLine } from "../../core/printable.ts";
import { closedPolicy, htmlPage } from "../../draw/page.ts";
import { escapeXml } from "../../draw/plot.ts";
import { pictureHtml, pictureStyle } from "./html.ts";
import type { Picture } from "./picture.ts";

/** A picture with a heading. */
export interface TitledPicture {
  readonly title: string;
  readonly picture: Picture;
}

/** What a page says of an explanation. */
export interface ExplanationPage {
  /** As plain text. */
  readonly title: string;
  /** What was explained, and how, a sentence each. */
  readonly sentences: readonly string[];
  readonly pictures: readonly TitledPicture[];
  /** Plots as SVG text, such as curves of deletion. */
  readonly plots?: readonly string[];
  /** What the reader should know, a sentence each. */
  readonly notes: readonly string[];
}

const style = `${pictureStyle}
main { max-width: 760px; margin: 0 auto; padding: 24px 16px 56px; }
h1 { font-size: 24px; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 26px 0 8px; overflow-wrap: anywhere; }
p { margin: 6px 0; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: 14px; }
.note { padding: 8px 12px; border-left: 4px solid rgb(var(--for)); background: var(--raised); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 12px; }
svg[role=img] { width: 100%; max-width: 460px; height: auto; border-radius: 6px; border: 1px solid var(--line); }
@media (prefers-color-scheme: dark) { svg[role=img] { filter: invert(0.9) hue-rotate(180deg); } }
`;

const shown = (text: string): string => escapeXml(inOneLine(text));

/**
 * The page as one text: no script, no other file, light and dark. Texts are escaped.
 * @example await writeFile("why.html", explanationPage({ title: "Why 7", sentences: [], pictures, notes: [] }));
 */
export function explanationPage({ title, sentences, pictures, plots = [], notes }: ExplanationPage): string {
  const sections = [
    `<h1>${shown(title)}</h1>${sentences.map((own) => `<p>${shown(own)}</p>`).join("")}`,
    ...notes.map((own) => `<p class="note">${shown(own)}</p>`),
    ...pictures.map((own) => `<section><h2>${shown(own.title)}</h2>${pictureHtml(own.picture)}</section>`),
    plots.length === 0 ? "" : `<section class="plots">${plots.join("")}</section>`,
  ];
  return htmlPage({ title: inOneLine(title), style, sections, head: closedPolicy });
}
