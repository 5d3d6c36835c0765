/** Module-loader hooks, run in Node's loader thread: packages that stand for files, and TypeScript that is a module. */

let files: Readonly<Record<string, string>> = {};

/** Takes the table from package name to file URL. */
export function initialize(table: Readonly<Record<string, string>>): void {
  files = table;
}

interface Resolved {
  readonly url: string;
  readonly format?: string | null;
}

/** Node's `resolve` hook. */
export async function resolve<C>(
  specifier: string,
  context: C,
  next: (specifier: string, context: C) => Promise<Resolved>,
): Promise<Resolved & { readonly shortCircuit?: boolean }> {
  const url = files[specifier];
  if (url !== undefined) return { url, format: "module", shortCircuit: true };
  const resolved = await next(specifier, context);
  // tsx takes a .ts file outside a package of type "module" for CommonJS, whose require() misses the table above.
  return /\.ts(\?|$)/.test(resolved.url) ? { ...resolved, format: "module" } : resolved;
}
