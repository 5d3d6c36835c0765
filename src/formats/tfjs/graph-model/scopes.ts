/** Names of a TensorFlow graph as paths of layers: without what functions, wrappers and converters put into them. */

/** Parts of names that calls of functions leave. */
const call = /^(Stateful)?PartitionedCall(_\d+)?$/;
/** What stands behind the name of a weight where it is read. */
const reading = /^(ReadVariableOp|[Rr]ead|Identity|Enter|resource)(_\d+)?$/;
/** Parts of a layer that Keras has no name for: products over the last axis of a sequence. */
const inside = /^Tensordot(_\d+)?$/;
/** Names that converters make: `Func/StatefulPartitionedCall/input/_262`, `unknown_12`. */
const anonymous = /^(Func\/|ConstantFolding\/|unknown(_\d+)?(\/|$))/;

/** The layer in which an operator of this name computes. */
function layerOf(name: string): readonly string[] {
  const segments = segmentsOf(name);
  const end = segments.findIndex((segment) => inside.test(segment));
  return segments.slice(0, end >= 0 ? end : -1);
}

const segmentsOf = (name: string): readonly string[] =>
  name.split("/").filter((part) => part !== "" && !call.test(part));

export class Scopes {
  /** Segments that all names of nodes begin with, and that distinguish none. */
  readonly #prefix: readonly string[];

  /** `names` are those of the nodes that compute. */
  constructor(names: Iterable<string>) {
    const paths = [...names].map(layerOf).filter((path) => path.length > 0);
    const [first = [], ...others] = paths;
    const length = others.reduce((most, path) => {
      const end = path.findIndex((segment, i) => segment !== first[i]);
      return Math.min(most, end < 0 ? path.length : end);
    }, first.length);
    this.#prefix = paths.length > 1 ? first.slice(0, length) : [];
  }

  /**
   * The path of a node's layer: `model/conv1/Conv2D` is `conv1` where all names begin with `model`. A node that is fused of
   * several has the name of the last, which may be another layer's: there its weight decides, `model/conv1/Conv2D/ReadVariableOp`.
   */
  pathOf(node: string, fusedWeight?: string): string | undefined {
    const owner = fusedWeight === undefined || anonymous.test(fusedWeight) ? undefined : this.#ownerOf(fusedWeight);
    return owner ?? this.#joined(layerOf(node)) ?? this.#joined(segmentsOf(node));
  }

  /** A weight's name as a path. */
  weight(name: string): string {
    return this.#joined(name.split("/").filter(Boolean)) ?? name;
  }

  #ownerOf(weight: string): string | undefined {
    const segments = [...segmentsOf(weight)];
    while (segments.length > 1 && reading.test(segments.at(-1) ?? "")) segments.pop();
    return this.#joined(segments.slice(0, -1));
  }

  #joined(segments: readonly string[]): string | undefined {
    const begins = this.#prefix.every((segment, i) => segment === segments[i]);
    const own = begins ? segments.slice(this.#prefix.length) : segments;
    return own.length > 0 ? own.join(".") : undefined;
  }
}
