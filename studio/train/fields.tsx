/** Settings as a form: a field for each, with what it means, and what differs from what stands there at first. */
import type { Fork, FormField, SettingValue } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";

/** What stands in fields, by their names. */
export type Filled = Readonly<Record<string, SettingValue | "">>;

/** What stands in fields at first. */
export const standardsOf = (fields: readonly FormField[]): Filled =>
  Object.fromEntries(fields.map(({ name, standard = "" }) => [name, standard]));

/** What was changed. */
export const changedOf = (fields: readonly FormField[], filled: Filled): Readonly<Record<string, SettingValue>> =>
  Object.fromEntries(
    fields.flatMap(({ name, standard = "" }) => {
      const value = filled[name] ?? standard;
      return value === standard || value === "" ? [] : [[name, value]];
    }),
  );

/** Of a run that is trained on the settings that a form has. */
export const settingsOf = (fields: readonly FormField[], fork: Fork | undefined): Filled =>
  Object.fromEntries(
    fields.flatMap(({ name }) => {
      const value = fork?.settings[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** Settings that stand above forms, or are none of a person's. */
const elsewhere = ["data", "base", "target", "task", "device"];

/** Says which settings of a run that is trained on a form does not have. */
export function NotInForm({ fields, fork }: { fields: readonly FormField[]; fork: Fork | undefined }) {
  const say = useSay();
  const others = Object.entries(fork?.settings ?? {}).flatMap(([name, value]) =>
    elsewhere.includes(name) || fields.some((field) => field.name === name) ? [] : [`${name} ${value}`],
  );
  return others.length > 0 ? <p class="wrong">{say("notInForm", { names: others.join(", ") })}</p> : null;
}

/** All fields of a form. */
export function Fields({
  fields,
  filled,
  onChange,
}: {
  fields: readonly FormField[];
  filled: Filled;
  onChange: (filled: Filled) => void;
}) {
  return (
    <div class="fields">
      {fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={filled[field.name] ?? field.standard ?? ""}
          onChange={(value) => onChange({ ...filled, [field.name]: value })}
        />
      ))}
    </div>
  );
}

/** What stands in a field. */
function Field({
  field,
  value,
  onChange,
}: {
  field: FormField;
  value: SettingValue | "";
  onChange: (value: SettingValue | "") => void;
}) {
  const { name, description, kind, choices = [] } = field;
  const id = `field-${name}`;
  return (
    <div class="field">
      <label for={id}>{name}</label>
      {kind === "choice" ? (
        <select
          id={id}
          value={String(value)}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
          aria-describedby={`${id}-help`}
        >
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : kind === "switch" ? (
        <input
          id={id}
          type="checkbox"
          checked={value === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
          aria-describedby={`${id}-help`}
        />
      ) : (
        <input
          id={id}
          inputMode={kind === "number" ? "decimal" : "text"}
          value={String(value)}
          onInput={({ currentTarget: { value: text } }) =>
            onChange(kind === "number" && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text)
          }
          aria-describedby={`${id}-help`}
        />
      )}
      <small id={`${id}-help`} class="soft">
        {description}
      </small>
    </div>
  );
}
