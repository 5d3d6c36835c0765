/** Which tensor of a checkpoint is which parameter of a model: files were saved with other heads, and under older names. */

/** Parameters with their tensors. */
export interface NameMatch {
  /** The name in the checkpoint, by the parameter's path. */
  readonly names: ReadonlyMap<string, string>;
  /** Parameters that the checkpoint lacks. */
  readonly missing: readonly string[];
  /** Tensors that are no parameter. */
  readonly beyond: readonly string[];
}

/**
 * Finds the tensors of parameters, by their own names first. A file may have been saved from a model with a head (`bert.` before all names
 * that a BertModel has) or without one (`gpt2` lacks the `transformer.` of a GPT2LMHeadModel), and before 2019 (`LayerNorm.gamma`).
 */
export function matchNames(paths: readonly string[], names: readonly string[]): NameMatch {
  const known = new Set(names);
  // A tensor of a parameter's own name is that parameter's.
  const exact = new Set(paths.filter((path) => known.has(path)));
  const left = new Set(names);
  const [added, dropped] = [prefixAdded(paths, known), prefixDropped(paths, known)];
  const found = new Map<string, string>();
  const missing: string[] = [];
  for (const path of paths) {
    const candidates = spellings(path).flatMap((own) => [
      `${added}${own}`,
      own,
      ...(dropped !== "" && own.startsWith(dropped) ? [own.slice(dropped.length)] : []),
    ]);
    const name = exact.has(path) ? path : candidates.find((candidate) => left.has(candidate) && !exact.has(candidate));
    if (name === undefined) missing.push(path);
    else {
      found.set(path, name);
      left.delete(name);
    }
  }
  return { names: found, missing, beyond: [...left] };
}

/** A parameter's names in checkpoints: those of before 2019 have TensorFlow's names for the vectors of a normalization. */
const spellings = (path: string): readonly string[] => [
  path,
  ...(/LayerNorm\.(weight|bias)$/.test(path) ? [path.replace(/weight$/, "gamma").replace(/bias$/, "beta")] : []),
];

/** What stands before the names in a checkpoint that was saved with a head. */
function prefixAdded([first]: readonly string[], names: ReadonlySet<string>): string {
  if (first === undefined || names.has(first)) return "";
  for (const name of names) if (name.endsWith(`.${first}`)) return name.slice(0, -first.length);
  return "";
}

/** What stands before the paths of a model with a head, and not before the names of a checkpoint without one. */
function prefixDropped([first]: readonly string[], names: ReadonlySet<string>): string {
  if (first === undefined || spellings(first).some((own) => names.has(own))) return "";
  for (let end = first.indexOf(".") + 1; end > 0; end = first.indexOf(".", end) + 1)
    if (spellings(first).some((own) => names.has(own.slice(end)))) return first.slice(0, end);
  return "";
}
