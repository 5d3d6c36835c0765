/** What a trace of a module depends on beside its inputs, so that graphs of it can be kept until that changes. */
import { type AnyModule, Module } from "./module.ts";

/** A module, an array or a plain object, and the values that it held: fields, and of a module its parameters and their bits. */
interface Part {
  readonly holder: Readonly<Record<string, unknown>>;
  readonly values: readonly unknown[];
}

/**
 * The modules below a module, itself first, each with its parameters, how they are stored, and the values of its fields: sizes,
 * rates, functions, other modules. It is compared in place, since a prediction by a small model takes no longer than a new list.
 */
export class Structure {
  readonly #parts: readonly Part[];

  constructor(module: AnyModule) {
    const parts: Part[] = [];
    const seen = new Set<object>();
    const visit = (item: object) => {
      if (seen.has(item)) return;
      seen.add(item);
      const isHolder =
        Array.isArray(item) || item instanceof Module || Object.getPrototypeOf(item) === Object.prototype;
      if (!isHolder) return;
      const holder = item as Part["holder"];
      const values: unknown[] = [];
      eachValue(holder, (value) => values.push(value) > 0);
      parts.push({ holder, values });
      for (const value of values) if (typeof value === "object" && value !== null) visit(value);
    };
    visit(module);
    this.#parts = parts;
  }

  /** Whether nothing was replaced since. */
  isCurrent(): boolean {
    return this.#parts.every(({ holder, values }) => {
      let next = 0;
      const same = eachValue(holder, (value) => next < values.length && Object.is(value, values[next++]));
      return same && next === values.length;
    });
  }
}

/** Calls `visit` with what a holder holds until it returns false; whether it never did. */
function eachValue(holder: Part["holder"], visit: (value: unknown) => boolean): boolean {
  for (const key in holder) if (!visit(holder[key])) return false;
  if (!(holder instanceof Module)) return true;
  for (const parameter of holder.own.values()) if (!visit(parameter) || !visit(parameter.packed?.bits)) return false;
  return true;
}
