/** A choice of one of some names. */
export interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly names: readonly T[];
  readonly textOf: (name: T) => string;
  readonly onChange: (name: T) => void;
}

export function Choice<T extends string>({ label, value, names, textOf, onChange }: ChoiceProps<T>) {
  return (
    <label>
      {label}{" "}
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value as T)}>
        {names.map((name) => (
          <option key={name} value={name}>
            {textOf(name)}
          </option>
        ))}
      </select>
    </label>
  );
}
