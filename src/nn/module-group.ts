/** Several modules as one, which is not applied itself. */
import { OptionError } from "../core/errors.ts";
import { type AnyModule, Module } from "./module.ts";

/** Modules by name, whose parameters are trained together: `generator.layers.0.weight`. An objective applies them one by one. */
export class ModuleGroup extends Module<never, never> {
  constructor(modules: Readonly<Record<string, AnyModule>>) {
    super();
    for (const [name, module] of Object.entries(modules)) {
      if (!(module instanceof Module))
        throw new OptionError(`"${name}" is a ${typeof module}; pass modules by name: { generator, critic }`);
      if (name in this) throw new OptionError(`no module of a group can be called "${name}"; choose another name`);
      Object.assign(this, { [name]: module });
    }
  }

  protected override call(): never {
    throw new OptionError("a group of modules is not applied; apply one of them in the objective");
  }
}
