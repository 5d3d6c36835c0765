/** What a person gives a model, by what it takes: a drawing, a file, a text, a row, numbers. */
import { useEffect, useState } from "preact/hooks";
import type { AskedColumn, AskedInput, Input } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { DrawPad } from "./draw-pad.tsx";
import { FileInput } from "./file-input.tsx";
import { SoundInput } from "./sound-input.tsx";

export interface InputFieldProps<T extends AskedInput = AskedInput> {
  readonly takes: T;
  /** Told of what is given; of nothing, where it is no input yet. */
  readonly onInput: (input: Input | undefined) => void;
  /** Told of what is asked about at once: a stroke that was drawn. */
  readonly onAsk: (input: Input) => void;
}

type Of<K extends AskedInput["kind"]> = InputFieldProps<Extract<AskedInput, { kind: K }>>;

/** Types of images that are read, by the endings of files of which the browser knows no type. */
const imageTypes: Readonly<Record<string, string>> = { tif: "image/tiff", tiff: "image/tiff", avif: "image/avif" };

const typeOfImage = ({ name, type }: File): string =>
  type !== "" ? type : (imageTypes[name.split(".").at(-1)?.toLowerCase() ?? ""] ?? "application/octet-stream");

const json = (value: unknown): Input => ({ content: JSON.stringify(value), type: "application/json" });

function ImageField({ takes: { height, width, channels }, onInput, onAsk }: Of<"image">) {
  const say = useSay();
  const [shown, setShown] = useState("");
  const draws = channels === 1;
  return (
    <div class="row top-aligned">
      {draws && (
        <DrawPad
          size={[height, width]}
          onDrawn={(input) => {
            setShown("");
            onInput(input);
            if (input) onAsk(input);
          }}
        />
      )}
      <div>
        <FileInput
          id="ask-image"
          label={say(draws ? "imageFile" : "justImageFile")}
          accept="image/*,.tif,.tiff,.avif"
          onFile={(file) => {
            setShown(file ? URL.createObjectURL(file) : "");
            onInput(file && { content: file, type: typeOfImage(file) });
          }}
        />
        {shown !== "" && <img class="given" src={shown} alt="" />}
      </div>
    </div>
  );
}

function TextField({ takes: { what, example }, onInput }: Of<"text">) {
  const say = useSay();
  return (
    <label class="field">
      {`${say("inputText")}: ${what}`}
      <textarea
        rows={4}
        maxLength={200_000}
        placeholder={example}
        onInput={({ currentTarget: { value } }) => onInput(value.trim() === "" ? undefined : json(value))}
      />
    </label>
  );
}

function NumbersField({ takes: { shape }, onInput }: Of<"numbers">) {
  const say = useSay();
  const count = shape.reduce((product, extent) => product * extent, 1);
  return (
    <label class="field">
      {say("inputNumbers", { count, shape: `[${shape.join(", ")}]` })}
      <textarea
        rows={count > 16 ? 6 : 2}
        placeholder={count <= 16 ? JSON.stringify(new Array(count).fill(0)) : ""}
        onInput={({ currentTarget: { value } }) =>
          onInput(value.trim() === "" ? undefined : { content: value, type: "application/json" })
        }
      />
    </label>
  );
}

function Column({
  column: { name, kind, values = [] },
  value,
  onChange,
}: {
  column: AskedColumn;
  value: string;
  onChange: (value: string) => void;
}) {
  const say = useSay();
  const id = `ask-column-${name}`;
  return (
    <div class="field">
      <label for={id}>{name}</label>
      {kind === "category" ? (
        <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
          <option value="">{say("noValue")}</option>
          {values.map((own) => (
            <option key={own} value={own}>
              {own}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          inputMode={kind === "number" ? "decimal" : "text"}
          value={value}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
    </div>
  );
}

function RowField({ takes: { columns }, onInput }: Of<"table">) {
  const say = useSay();
  const [row, setRow] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(columns.map(({ name, example }) => [name, example])),
  );
  useEffect(() => onInput(json(row)), [row]);
  return (
    <fieldset class="plain">
      <legend class="soft">{say("inputRow")}</legend>
      <div class="fields">
        {columns.map((column) => (
          <Column
            key={column.name}
            column={column}
            value={row[column.name] ?? ""}
            onChange={(value) => setRow({ ...row, [column.name]: value })}
          />
        ))}
      </div>
    </fieldset>
  );
}

export function InputField({ takes, ...told }: InputFieldProps) {
  switch (takes.kind) {
    case "image":
      return <ImageField takes={takes} {...told} />;
    case "sound":
      return <SoundInput rate={takes.rate} onInput={told.onInput} />;
    case "text":
      return <TextField takes={takes} {...told} />;
    case "table":
      return <RowField takes={takes} {...told} />;
    case "numbers":
      return <NumbersField takes={takes} {...told} />;
    default:
      return null;
  }
}
