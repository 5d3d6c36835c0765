/** The reader's language: chosen, kept by the browser, and the sentences in it. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type TextKey, texts } from "./texts.ts";

export type Language = "en" | "zh";

/** Says a sentence, with values in the place of `{name}`. */
export type Say = (key: TextKey, values?: Readonly<Record<string, string | number>>) => string;

/** Sentences in a language. */
export const sayIn =
  (language: Language): Say =>
  (key, values = {}) =>
    texts[key][language === "zh" ? 1 : 0].replace(/\{(\w+)\}/g, (whole, name: string) => `${values[name] ?? whole}`);

const storedAs = "sardonyx-studio-language";

/** The language of before, or the browser's. */
export function firstLanguage(): Language {
  const stored = localStorage.getItem(storedAs);
  if (stored === "en" || stored === "zh") return stored;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

export const rememberLanguage = (language: Language): void => localStorage.setItem(storedAs, language);

export const LanguageContext = createContext<Say>(sayIn("en"));

/** The sentences of the language of now. */
export const useSay = (): Say => useContext(LanguageContext);
