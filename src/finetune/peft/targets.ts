/** Which modules the fields of PEFT's adapter_config.json name (peft.tuners.tuners_utils, check_target_module_exists). */
import { OptionError } from "../../core/errors.ts";
import { Pattern } from "../../core/pattern/pattern.ts";

/** Names in a list, which modules have whole or as their last parts, or a regular expression that matches a whole name. */
export type ModuleNames = string | readonly string[];

/** The fields that choose modules. */
export interface TargetFields {
  readonly target_modules?: ModuleNames | null | undefined;
  readonly exclude_modules?: ModuleNames | null | undefined;
  readonly modules_to_save?: readonly string[] | null | undefined;
  readonly layers_to_transform?: number | readonly number[] | null | undefined;
  readonly layers_pattern?: ModuleNames | null | undefined;
}

/** In place of names: every dense layer but those that give the scores. */
export const isAllLinear = (names: ModuleNames | null | undefined): boolean =>
  typeof names === "string" && names.toLowerCase() === "all-linear";

/** A regular expression of a field. Throws OptionError for one that is none. */
function expression(field: string, source: string): Pattern {
  try {
    return new Pattern(source, "");
  } catch (cause) {
    throw new OptionError(
      `adapter_config.json: ${field} has ${JSON.stringify(source)}, which is no regular expression that is understood here (${(cause as Error).message}); list the names of the modules in its place`,
      { cause },
    );
  }
}

const isAmong = (field: string, names: ModuleNames, name: string): boolean =>
  typeof names === "string"
    ? expression(field, `^(?:${names})$`).test(name)
    : names.some((own) => name === own || name.endsWith(`.${own}`));

/** Whether an adapter stands beside the module of a name. Throws OptionError for a field that is no regular expression. */
export function isTargeted(name: string, fields: TargetFields): boolean {
  const { target_modules: targets, exclude_modules: excluded, modules_to_save: saved } = fields;
  if (excluded?.length && isAmong("exclude_modules", excluded, name)) return false;
  if (saved?.some((own) => expression("modules_to_save", `^(?:|.*\\.)${own}(?:$|\\..*)`).test(name))) return false;
  if (!targets || !isAmong("target_modules", targets, name)) return false;
  // A regular expression, and a whole name, say themselves in which block.
  return typeof targets === "string" || targets.includes(name) || isInChosenBlock(name, fields);
}

function isInChosenBlock(name: string, { layers_to_transform: blocks, layers_pattern: lists }: TargetFields): boolean {
  const numbers = [blocks ?? []].flat();
  if (numbers.length === 0) return true;
  const patterns = lists?.length ? [lists].flat() : ["[^.]*"];
  for (const pattern of patterns) {
    const before = expression("layers_pattern", `^.*?\\.${pattern}$`);
    for (const { 1: number, index } of name.matchAll(/\.(\d+)(?=\.)/g))
      if (before.test(name.slice(0, index))) return numbers.includes(Number(number));
  }
  return false;
}

/** The number of the first pattern that matches a name or its last parts (peft.utils.other, get_pattern_key). */
export const numberAt = (
  field: string,
  patterns: Readonly<Record<string, number>> | null | undefined,
  name: string,
): number | undefined =>
  Object.entries(patterns ?? {}).find(([pattern]) => expression(field, `^(?:.*\\.)?(?:${pattern})$`).test(name))?.[1];

/** Whether (IA)³ multiplies a module's inputs: names are compared with the ends of names, within a part too. */
export const isFeedForward = (name: string, names: ModuleNames | null | undefined): boolean =>
  typeof names === "string"
    ? expression("feedforward_modules", `^(?:${names})$`).test(name)
    : (names ?? []).some((own) => name.endsWith(own));

/** The modules that are saved whole with an adapter, of those of a model. */
export const savedModules = (names: readonly string[] | null | undefined, all: readonly string[]): readonly string[] =>
  all.filter((module) => names?.some((own) => module.endsWith(own)));

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** An expression that matches one name. */
export const exactly = (name: string): RegExp => new RegExp(`^${escaped(name)}$`);

/** The shortest target_modules that choose these modules of a model and no others. */
export function targetsOf(chosen: readonly string[], all: readonly string[]): ModuleNames {
  const wanted = new Set(chosen);
  const hits = (targets: ModuleNames) => {
    const found = all.filter((name) => isTargeted(name, { target_modules: targets }));
    return found.length === wanted.size && found.every((name) => wanted.has(name));
  };
  const lastParts = [...new Set(chosen.map((name) => name.slice(name.lastIndexOf(".") + 1)))];
  if (!lastParts.some((part) => /^\d+$/.test(part)) && hits(lastParts)) return lastParts;
  return hits(chosen) ? chosen : chosen.map(escaped).join("|");
}

/** feedforward_modules that mean these of the adapted layers: names of target_modules, as PEFT demands of lists, or an expression. */
export function feedForwardOf(inner: readonly string[], adapted: readonly string[], targets: ModuleNames): ModuleNames {
  const listed = typeof targets === "string" ? [] : targets.filter((own) => inner.some((name) => name.endsWith(own)));
  const found = adapted.filter((name) => isFeedForward(name, listed));
  const isExact = found.length === inner.length && found.every((name) => inner.includes(name));
  return isExact ? listed : inner.map(escaped).join("|");
}
