/** Federated learning with control variates, against the drift of clients. */
import { OptionError } from "../../core/errors.ts";
import { positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { addChange, type Strategy } from "./strategy.ts";

/** Options of `scaffold`. */
export interface ScaffoldOptions {
  /** What the mean change of the clients is multiplied by; default 1. */
  readonly serverRate?: number;
}

const checkOptions = optionsOf<ScaffoldOptions>("scaffold", { serverRate: positive });

const control = "control";

/**
 * SCAFFOLD (Karimireddy et al. 2020, algorithm 1, option II): server and clients keep control variates c and cᵢ, guesses of their gradients; each step
 * of a client adds c - cᵢ to its gradient, so that it moves as all clients would. After K steps at a rate η that change the values by Δ, cᵢ becomes
 * cᵢ - c - Δ/(K η). All clients count alike. Messages are twice as long. For plain SGD: throws OptionError for other optimizers when training begins.
 * @example
 * federated.scaffold({ serverRate: 1 });
 */
export function scaffold(options: ScaffoldOptions = {}): Strategy {
  const { serverRate = 1 } = checkOptions(options);
  return {
    name: "scaffold",
    settings: { serverRate },
    weights: "equal",
    slots: { [control]: 0 },
    local: {
      sends: [control],
      remembers: [control],
      offset: (sent, own) =>
        Float32Array.from(sent[control] ?? [], (server, i) => server - (own[control]?.[i] as number)),
      remember: ({ change, trained, rates, sent, own }) => ({
        [control]: Float32Array.from(change, (delta, i) =>
          i < trained ? (own[control]?.[i] as number) - (sent[control]?.[i] as number) - delta / rates : 0,
        ),
      }),
      requireOptimizer({ name, settings }) {
        const plain = name === "sgd" && settings["momentum"] === 0;
        if (!plain)
          throw new OptionError(
            `scaffold: clients train by ${name}${name === "sgd" ? " with momentum" : ""}, whose steps say nothing of the gradient alone; train them by sgd without momentum`,
          );
      },
    },
    advance({ values, slots }, { change, returned, share }) {
      addChange(values, change, serverRate);
      const [own, moved] = [slots[control], returned[control]];
      if (own && moved) addChange(own, moved, share);
    },
  };
}
