// Owns one run of one contender in the browser: its page in a context of its own, its threads, its time limit, and what it reports.

/**
 * Opens the contender's page for a work and resolves to what it reports, or to `{ skipped }` with a sentence where it failed or passed
 * `timeoutSeconds`.
 */
export async function visit(
  browser,
  address,
  { page: name, backend, processors = 1 },
  work,
  { threads, timeoutSeconds },
) {
  const context = await browser.newContext();
  // Libraries that take as many threads as there are processors find so many.
  await context.addInitScript((count) => {
    Object.defineProperty(navigator, "hardwareConcurrency", { value: count });
  }, threads * processors);
  const page = await context.newPage();
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => resolve({ skipped: `time limit of ${timeoutSeconds} seconds` }), timeoutSeconds * 1_000);
      page.on("pageerror", (error) => resolve({ skipped: error.message }));
      page.on("crash", () => resolve({ skipped: "the page crashed" }));
      page
        .exposeFunction("report", resolve)
        .then(() => page.goto(`${address}${name}.html?${new URLSearchParams({ work, backend, threads })}`))
        .catch(reject);
    });
  } finally {
    clearTimeout(timer);
    await context.close();
  }
}

/** What the browser computes on: its version, its adapter by WebGPU and its renderer by WebGL, whether threads share memory. */
export async function probe(browser, address) {
  const page = await browser.newPage();
  try {
    await page.goto(`${address}probe.html`);
    const found = await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter();
      const { vendor = "", architecture = "", device = "", description = "" } = adapter?.info ?? {};
      const webgl = document.createElement("canvas").getContext("webgl2");
      const names = webgl?.getExtension("WEBGL_debug_renderer_info");
      return {
        adapter: adapter && [...new Set([vendor, architecture, device, description])].filter(Boolean).join(" "),
        isSoftware: adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter,
        renderer: names && webgl.getParameter(names.UNMASKED_RENDERER_WEBGL),
        isIsolated: globalThis.crossOriginIsolated,
      };
    });
    return { ...found, version: browser.version() };
  } finally {
    await page.close();
  }
}
