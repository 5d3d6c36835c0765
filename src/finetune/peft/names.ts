/** Names of tensors in PEFT's files, and of the modules beside which they stand. */

/** A name of a file in its parts. */
export interface PeftName {
  /** The name in the file. */
  readonly key: string;
  /** The path of a module in the model that was adapted. */
  readonly module: string;
  /** The tensor's name in the module, as adapters here call it. */
  readonly own: string;
  /** Whether it belongs to the adapter, and is none of the model's own. */
  readonly isAdapter: boolean;
}

const ofAdapter =
  /^(?:(.*)\.)?(lora_[AB]\.weight|lora_embedding_[AB]|lora_magnitude_vector|ia3_l|prompt_embeddings)(?:\.weight)?$/;

/** Takes a name apart; what stands before all names of a file is left out. */
export function peftName(key: string, prefix: string): PeftName {
  const path = key.startsWith(prefix) ? key.slice(prefix.length) : key;
  const [, module = "", own] = ofAdapter.exec(path) ?? [];
  if (own !== undefined) return { key, module, own, isAdapter: true };
  const plain = path.replace(/(^|\.)base_layer\./, "$1");
  const end = plain.lastIndexOf(".");
  return { key, module: plain.slice(0, Math.max(end, 0)), own: plain.slice(end + 1), isAdapter: false };
}

/** Between the names of modules in a file and here. */
export interface Renaming {
  /** The name here; `undefined` where there is none. */
  toModel(module: string): string | undefined;
  /** The name that PEFT saw. */
  toPeft(module: string): string;
}

/**
 * How the modules of a file are called in a model: an adapter may have been trained on a class with a head before whose names `model.`
 * stands, or on one without. That under which most are found holds.
 */
export function renamingOf(stored: readonly string[], own: ReadonlySet<string>): Renaming {
  const shifts = new Map<string, Renaming>([["", shift("", "", own)]]);
  for (const module of stored) {
    for (const name of own)
      if (name.endsWith(`.${module}`)) {
        const before = name.slice(0, -module.length);
        shifts.set(`+${before}`, shift(before, "", own));
      }
    for (let end = module.indexOf(".") + 1; end > 0; end = module.indexOf(".", end) + 1)
      if (own.has(module.slice(end))) shifts.set(`-${module.slice(0, end)}`, shift("", module.slice(0, end), own));
    if (shifts.size > 1) break;
  }
  const found = ({ toModel }: Renaming) => stored.filter((module) => toModel(module) !== undefined).length;
  return [...shifts.values()].reduce((best, other) => (found(other) > found(best) ? other : best));
}

/** @param here what stands before all names here and not there, `there` the reverse */
function shift(here: string, there: string, own: ReadonlySet<string>): Renaming {
  return {
    toModel(module) {
      const moved = module.startsWith(there) ? `${here}${module.slice(there.length)}` : undefined;
      return [moved, module].find((name) => name !== undefined && own.has(name));
    },
    toPeft: (module) => `${there}${module.startsWith(here) ? module.slice(here.length) : module}`,
  };
}
