/** A page of HTML that needs nothing beside it: no script, no other file. */
import { escapeXml } from "./plot.ts";

/** What a page is made of. */
export interface Page {
  /** As plain text. */
  readonly title: string;
  /** Its style sheet. */
  readonly style: string;
  /** HTML of its parts; empty ones are left out. */
  readonly sections: readonly string[];
  /** More of the head; default nothing. */
  readonly head?: string;
}

/** Colours of a page, light and dark; what all its boxes have in common. */
const ground = `
:root { color-scheme: light dark; --ink: #111827; --soft: #6b7280; --line: #e5e7eb; --ground: #ffffff; --raised: #f8fafc; }
@media (prefers-color-scheme: dark) { :root { --ink: #e5e7eb; --soft: #9ca3af; --line: #374151; --ground: #111827; --raised: #1f2937; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
`;

/** For `head`: nothing is fetched, whatever the page says, and no script runs. */
export const closedPolicy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">\n`;

/** The page as one text. */
export const htmlPage = ({ title, style, sections, head = "" }: Page): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head}<title>${escapeXml(title)}</title>
<style>${ground}${style}</style>
</head>
<body>
<main>
${sections.filter(Boolean).join("\n")}
</main>
</body>
</html>
`;
