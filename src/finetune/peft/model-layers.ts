/** What PEFT's files can name of a model: the layers that it can adapt, and the modules that have parameters. */
import type { AnyModule } from "../../nn/index.ts";
import { inputTypesOf, type WeightSite, weightSites } from "../adapters/sites.ts";

/** The layers that can be adapted, of a model without adapters. */
export const layersOf = (model: AnyModule): readonly WeightSite[] =>
  weightSites(model, model.trace(inputTypesOf(model)));

/** The path of a site, which is empty for the model itself. */
export const pathOfSite = (model: AnyModule, { module, prefix }: Pick<WeightSite, "module" | "prefix">): string =>
  [model.modules().get(module), prefix].filter(Boolean).join(".");

/** The modules that have parameters of their own, by the paths of these; `besides` are those of adapters. */
export function modulesWithParameters(model: AnyModule, besides: ReadonlySet<string> = new Set()): readonly string[] {
  const paths = [...model.parameters().keys()].filter((path) => !besides.has(path));
  return [...new Set(paths.map(moduleOf))].filter(Boolean);
}

/** The module of a parameter, by the parameter's path. */
export const moduleOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("."), 0));
