/** What a page that a test opens in Chromium leaves in its title. */
import type { Browser, BrowserContext } from "playwright-core";
import { expect } from "vitest";

/** What a page has done once it set its title. */
export interface Visited<T> {
  /** The title, as JSON. */
  readonly result: T;
  /** Addresses that it asked for. */
  readonly requests: readonly string[];
  /** What it wrote to the console as warnings. */
  readonly warnings: readonly string[];
  /** Workers that run in it at the end: threads beside the first, and its own. */
  readonly workers: number;
}

/** Opens a page that leaves its result in the title; fails where it throws or asks for what is not there. */
export async function visit<T>(browser: Browser | BrowserContext, address: string): Promise<Visited<T>> {
  const page = await browser.newPage();
  const errors: string[] = [];
  const requests: string[] = [];
  const warnings: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "warning") warnings.push(message.text());
    if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on("request", (request) => requests.push(request.url()));
  try {
    await page.goto(address);
    // While it loads, a page may be titled by its address.
    const settled = async () => errors.length > 0 || /^[[{"\d]/.test(await page.title());
    await expect.poll(settled, { timeout: 200_000 }).toBe(true);
    expect(errors).toEqual([]);
    return { result: JSON.parse(await page.title()), requests, warnings, workers: page.workers().length };
  } finally {
    await page.close();
  }
}
