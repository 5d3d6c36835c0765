/** The weights of a file that belong to a layer, by the names that Keras 2 gives them and by the places where Keras 3 puts them. */
import type { AnyModule } from "../../../nn/index.ts";
import type { StoredWeight } from "../manifest.ts";
import type { StoredAs } from "./layer.ts";

/** Where a layer stands in a model, for those who look for its weights. */
export interface Place {
  /** Names under which the file may have them, the likeliest first. */
  readonly names: readonly string[];
  /** Names of the models around it, the innermost first. */
  readonly within: readonly string[];
  /** The path of its object in a file of Keras 3: `layers/functional/layers/dense_1`. */
  readonly path: string;
}

/** A layer with weights. */
export interface WeightedLayer {
  readonly module: AnyModule;
  readonly weights: Readonly<Record<string, StoredAs>>;
  readonly place: Place;
}

/** A weight of a layer that is looked for. */
export interface Wanted {
  readonly stored: StoredAs;
  /** Which of the weights of its part it is. */
  readonly index: number;
}

/** The stored weights of a file, as they are looked for. */
export interface WeightFinder {
  readonly weights: ReadonlyMap<string, StoredWeight>;
  /** The weight of a layer, of those whose names are free. */
  find(place: Place, wanted: Wanted, free: ReadonlySet<string>): StoredWeight | undefined;
  /** Everything under a layer's name, by the rest of the names. */
  below(place: Place): ReadonlyMap<string, StoredWeight>;
}

const listOf = (name: string | readonly string[]): readonly string[] => (typeof name === "string" ? [name] : name);

/**
 * By names: `layer/kernel`; in a nested model `model/layer/kernel`; TensorFlow 2 puts the cell of a recurrent layer between,
 * `layer/lstm_cell/kernel`.
 */
export function weightsByName(weights: ReadonlyMap<string, StoredWeight>): WeightFinder {
  const found = ({ names, within }: Place, weight: string, free: ReadonlySet<string>) => {
    const ending = [...free].filter((name) => `/${name}`.endsWith(`/${weight}`));
    const has = (name: string, part: string) => `/${name}`.includes(`/${part}/`);
    // Layers of different models may have one name: the models around them tell them apart.
    const nearness = (name: string) => within.filter((model) => has(name, model)).length;
    for (const layer of names) {
      const under = ending.filter((name) => has(name, layer));
      const [nearest] = under.toSorted((a, b) => nearness(b) - nearness(a));
      const exact = within.length === 0 ? under.find((name) => name === `${layer}/${weight}`) : undefined;
      if (nearest !== undefined) return weights.get(exact ?? nearest);
    }
    return undefined;
  };
  return {
    weights,
    find: (place, { stored: { name, part } }, free) => {
      const parts = listOf(name).flatMap((own) => (part === undefined ? [own] : [`${part}/${own}`, own]));
      return parts.map((own) => found(place, own, free)).find(Boolean);
    },
    below: ({ names: [own = ""] }) => {
      const below = [...weights].flatMap(([name, weight]): (readonly [string, StoredWeight])[] => {
        // What stands before the layer's name is that of a model around it.
        const begin = `/${name}`.indexOf(`/${own}/`);
        return begin < 0 ? [] : [[name.slice(begin + own.length + 1), weight]];
      });
      return new Map(below);
    },
  };
}

/** By places: `layers/lstm/cell/vars/0`, in the order in which Keras makes the weights of an object. */
export function weightsByPlace(weights: ReadonlyMap<string, StoredWeight>): WeightFinder {
  return {
    weights,
    find: ({ path }, { stored: { part }, index }, free) => {
      const name = [path, ...(part === undefined ? [] : [part]), "vars", index].join("/");
      return free.has(name) ? weights.get(name) : undefined;
    },
    below: ({ path }) => {
      const own = [...weights].filter(([name]) => name.startsWith(`${path}/`));
      return new Map(own.map(([name, weight]) => [name.slice(path.length + 1), weight]));
    },
  };
}

/** Classes that Keras exports under another name than their own. */
const ownNames: Readonly<Record<string, string>> = { GroupQueryAttention: "GroupedQueryAttention" };

/** A class's name as Keras writes it in paths: `conv2d` of Conv2D, `multi_head_attention` of MultiHeadAttention. */
export const snakeCase = (className: string): string =>
  (Object.hasOwn(ownNames, className) ? (ownNames[className] as string) : className)
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
