/** What would change a model, as sliders and choices. */
import { useId } from "preact/hooks";
import type { Inspection } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import {
  accelerators,
  asItIs,
  batchStops,
  loraRanks,
  memoryBudgets,
  optimizers,
  ownBatch,
  ownSequence,
  precisions,
  quantizations,
  type Settings,
  sequenceStops,
} from "./settings.ts";

/** A slider over values, and what its value is called. */
function Slider<T>({
  label,
  stops,
  value,
  text,
  isOff = false,
  onChange,
}: {
  label: string;
  stops: readonly T[];
  value: T;
  text: (value: T) => string;
  isOff?: boolean;
  onChange: (value: T) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <div class="row spread">
        <label for={id}>{label}</label>
        <output for={id}>{text(value)}</output>
      </div>
      <input
        id={id}
        type="range"
        min={0}
        max={Math.max(0, stops.length - 1)}
        step={1}
        value={Math.max(0, stops.indexOf(value))}
        aria-valuetext={text(value)}
        disabled={isOff || stops.length < 2}
        onInput={({ currentTarget }) => {
          const stop = stops[Number(currentTarget.value)];
          if (stop !== undefined) onChange(stop);
        }}
      />
    </div>
  );
}

/** A choice among words. */
function Choice({
  label,
  choices,
  value,
  text,
  onChange,
}: {
  label: string;
  choices: readonly string[];
  value: string;
  text: (value: string) => string;
  onChange: (value: string) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {text(choice)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Pattern({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {/* Each letter of a pattern would be a model of its own. */}
      <input id={id} value={value} maxLength={500} onChange={({ currentTarget }) => onChange(currentTarget.value)} />
    </div>
  );
}

/** The sliders of a model; those that depend on it are there once it is known. */
export function Sliders({
  model,
  wrong = "",
  settings,
  onChange,
}: {
  model: Inspection | undefined;
  /** What was said against the settings of now. */
  wrong?: string | undefined;
  settings: Settings;
  onChange: (settings: Settings) => void;
}) {
  const say = useSay();
  const set = (change: Partial<Settings>) => onChange({ ...settings, ...change });
  const {
    frozenBlocks,
    freeze,
    lora,
    loraTargets,
    batch,
    sequence,
    precision,
    optimizer,
    quantize,
    memory,
    hardware,
    inputShape,
  } = settings;
  const blocks = model?.blocks ?? [];
  // What a file leaves open is asked for.
  const isOpen = /--(sequence|input-shape)/.test(wrong);
  const length = (model && ownSequence(model)) ?? (isOpen ? 0 : undefined);
  const isAdapted = lora > 0;
  const orNone = (text: string): string => (text === "" ? say("choose") : text);
  return (
    <fieldset class="plain">
      <legend>
        <h2>{say("whatIf")}</h2>
      </legend>
      <p class="soft">{say("whatIfHelp")}</p>
      <Slider
        label={say("frozenBlocks")}
        stops={[0, ...blocks.map((_, i) => i + 1)]}
        value={isAdapted ? 0 : frozenBlocks}
        isOff={isAdapted}
        text={(count) =>
          isAdapted
            ? say("loraFreezes")
            : count === 0
              ? say("noneOf", { all: blocks.length })
              : say("frozenUpTo", { count, all: blocks.length, name: blocks[count - 1] ?? "" })
        }
        onChange={(value) => set({ frozenBlocks: value })}
      />
      {!isAdapted && (
        <Pattern label={say("freezePattern")} value={freeze} onChange={(value) => set({ freeze: value })} />
      )}
      <Slider
        label={say("loraRank")}
        stops={loraRanks}
        value={lora as (typeof loraRanks)[number]}
        text={(rank) => (rank === 0 ? say("choose") : String(rank))}
        onChange={(value) => set({ lora: value })}
      />
      {isAdapted && (
        <Pattern label={say("loraLayers")} value={loraTargets} onChange={(value) => set({ loraTargets: value })} />
      )}
      {model && (
        <Slider
          label={say("batchSize")}
          stops={batchStops(model)}
          value={batch ?? ownBatch(model)}
          text={String}
          onChange={(value) => set({ batch: value === ownBatch(model) ? undefined : value })}
        />
      )}
      {length !== undefined && (
        <Slider
          label={say("sequenceLength")}
          stops={sequenceStops(length)}
          value={sequence ?? length}
          text={(value) => (value === 0 ? say("choose") : String(value))}
          onChange={(value) => set({ sequence: value })}
        />
      )}
      {(isOpen || inputShape !== "") && (
        <Pattern label={say("inputShapeOf")} value={inputShape} onChange={(value) => set({ inputShape: value })} />
      )}
      <Slider
        label={say("memoryBudget")}
        stops={memoryBudgets}
        value={memory as (typeof memoryBudgets)[number]}
        text={(gigabytes) => (gigabytes === 0 ? say("noBudget") : `${gigabytes} GB`)}
        onChange={(value) => set({ memory: value })}
      />
      <div class="fields">
        <Choice
          label={say("precisionOf")}
          choices={precisions}
          value={precision}
          text={(name) => (name === "" ? say("asStored") : name)}
          onChange={(value) => set({ precision: value })}
        />
        <Choice
          label={say("optimizerOf")}
          choices={optimizers.slice(1)}
          value={optimizer || "adam"}
          text={String}
          onChange={(value) => set({ optimizer: value === "adam" ? "" : value })}
        />
        <Choice
          label={say("quantizedTo")}
          choices={quantizations}
          value={quantize}
          text={(bits) => (bits === "" ? say("choose") : say("bitsOf", { bits }))}
          onChange={(value) => set({ quantize: value })}
        />
        <Choice
          label={say("hardwareOf")}
          choices={accelerators}
          value={hardware}
          text={orNone}
          onChange={(value) => set({ hardware: value })}
        />
      </div>
      {JSON.stringify(settings) !== JSON.stringify(asItIs) && (
        <button type="button" class="quiet" onClick={() => onChange(asItIs)}>
          {say("asItIs")}
        </button>
      )}
    </fieldset>
  );
}
