/** What a trace of a module depends on beside its inputs, so that graphs of it can be kept until that changes. */
import { type AnyModule, Module } from "./module.ts";

/** The modules below a module, itself first, each with its parameters, how they are stored, and the values of its
 * fields: sizes, rates, functions, other modules. */
export function structureOf(module: AnyModule): readonly unknown[] {
  const found: unknown[] = [];
  const seen = new Set<object>();
  const visit = (item: object) => {
    if (seen.has(item)) return;
    seen.add(item);
    const isHolder = Array.isArray(item) || item instanceof Module || Object.getPrototypeOf(item) === Object.prototype;
    if (!isHolder) return;
    if (item instanceof Module)
      for (const parameter of item.own.values()) found.push(parameter, parameter.packed?.bits);
    for (const value of Object.values(item)) {
      found.push(value);
      if (typeof value === "object" && value !== null) visit(value);
    }
  };
  visit(module);
  return found;
}

/** Whether nothing was replaced. */
export function sameStructure(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
