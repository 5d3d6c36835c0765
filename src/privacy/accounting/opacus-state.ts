/** Histories in the format of Opacus' accountants: `state_dict` and `load_state_dict` of opacus/accountants/accountant.py. */
import { listOf, matching } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { accountantType, type PrivacyAccountant } from "./account.ts";
import { checkHistory, type PrivacyPhase } from "./history.ts";

/** The state of one of Opacus' accountants. */
export interface OpacusState {
  /** Noise multiplier, sample rate and steps of each phase. */
  readonly history: readonly (readonly [noiseMultiplier: number, sampleRate: number, steps: number])[];
  /** The accountant. */
  readonly mechanism: PrivacyAccountant;
}

const isPhase = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 3 && value.every((own) => typeof own === "number");

const checkState = optionsOf<OpacusState>("the state of Opacus", {
  history: required(
    listOf(matching("[noise multiplier, sample rate, steps]", isPhase), "[noise multiplier, sample rate, steps]"),
  ),
  mechanism: required(accountantType),
});

/**
 * A history as the state of one of Opacus' accountants, which JSON can hold. Throws OptionError for what is no history.
 * @param accountant that of Opacus which is to load it; default "prv"
 */
export const opacusState = (history: readonly PrivacyPhase[], accountant: PrivacyAccountant = "prv"): OpacusState =>
  checkState({
    history: checkHistory("opacusState", history).map(({ noiseMultiplier, sampleRate, steps }) => [
      noiseMultiplier,
      sampleRate,
      steps,
    ]),
    mechanism: accountant,
  });

/**
 * The history and the accountant of a state that Opacus wrote. Throws OptionError for a value that is none.
 * @example
 * const { history, accountant } = historyOfOpacus(JSON.parse(text));
 * privacySpent(history, { delta: 1e-5, accountant });
 */
export function historyOfOpacus(state: OpacusState): {
  readonly history: readonly PrivacyPhase[];
  readonly accountant: PrivacyAccountant;
} {
  const { history, mechanism } = checkState(state);
  const phases = history.map(([noiseMultiplier, sampleRate, steps]) => ({ noiseMultiplier, sampleRate, steps }));
  return { history: checkHistory("the state of Opacus", phases), accountant: mechanism };
}
