/** What every page does with its elements: finds them, and tells errors in a sentence. */
import type { Speaker } from "./language.ts";

/** The element of a selector. Throws Error where the page has none. */
export function element<T extends Element = HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** A share between 0 and 1 as percent, with one digit after the point. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Does something, and tells in the element `#error` what it threw; a new attempt clears what was told. */
export async function attempt(speaker: Speaker<"failed">, act: () => Promise<void> | void): Promise<void> {
  const place = element("#error");
  place.hidden = true;
  try {
    await act();
  } catch (error) {
    speaker.say(place, "failed", { message: error instanceof Error ? error.message : String(error) });
    place.hidden = false;
  }
}

/** A file of the site, unpacked; packed ones are told by their first bytes, since some servers unpack them on the way. */
export async function siteFile(name: string): Promise<Uint8Array> {
  const response = await fetch(new URL(name, document.baseURI));
  if (!response.ok) throw new Error(`${name} is not there (${response.status}); build the site again: npm run site`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}
