/** What the pages say, in English and Chinese: the reader's choice, kept by the browser, and every sentence that is shown. */
import { remember, remembered } from "./choices.ts";

/** Sentences by key, each in both languages, so that none lacks one; `{name}` stands for a value. */
export type Texts = Readonly<Record<string, readonly [english: string, chinese: string]>>;
/** A value within a sentence; numbers are written by the one who passes them. */
export type Values = Readonly<Record<string, string | number>>;

/** What all pages say. */
export const commonTexts = {
  home: ["Sardonyx in the browser", "浏览器中的 Sardonyx"],
  digits: ["Digits", "手写数字"],
  inspect: ["Inspect", "查看模型"],
  gpt: ["A GPT that writes", "会写作的 GPT"],
  depth: ["Depth", "网络深度"],
  transfer: ["Your images", "您的图像"],
  backToStudio: ["Back to the studio", "返回工作室"],
  pages: ["Pages", "页面"],
  local: [
    "Everything is computed in this page. Nothing leaves your computer.",
    "一切都在本页面中计算，任何数据都不会离开您的电脑。",
  ],
  failed: ["It went wrong: {message}", "出错了：{message}"],
  train: ["Train", "开始训练"],
  stop: ["Stop", "停止"],
  goOn: ["Go on", "继续训练"],
  anew: ["Begin anew", "重新开始"],
  loading: ["Loading the engine and the data …", "正在加载引擎和数据……"],
  reached: [
    "Epochs trained on an earlier visit: {epochs}. The network is here again: go on, or begin anew.",
    "上次访问时已训练 {epochs} 轮，网络已恢复。可以继续训练，或重新开始。",
  ],
  computeOn: ["Compute on", "计算设备"],
  automatic: ["automatic", "自动选择"],
  byWebGpu: ["the graphics card (WebGPU)", "显卡（WebGPU）"],
  byWasm: ["the processor (WebAssembly)", "处理器（WebAssembly）"],
  onCard: ["The graphics card computes.", "由显卡计算。"],
  onSoftwareCard: [
    "WebGPU computes, by software: this browser has no graphics card for it, and WebAssembly is faster.",
    "由 WebGPU 计算，但它是软件模拟的：浏览器没有可用的显卡，WebAssembly 更快。",
  ],
  onWasm: ["The processor computes.", "由处理器计算。"],
  onWasmNoCard: [
    "The processor computes: this browser gives the page no graphics card.",
    "由处理器计算：浏览器没有向本页面提供显卡。",
  ],
  onWasmSoftware: [
    "The processor computes: WebGPU is there by software alone, which is slower.",
    "由处理器计算：WebGPU 只有软件模拟，速度更慢。",
  ],
  onWasmSmall: [
    "The processor computes: so small a network waits longer for a graphics card.",
    "由处理器计算：这么小的网络用显卡反而更慢。",
  ],
  cardFailed: [
    "The graphics card failed, and the processor goes on: {message}",
    "显卡出错，改由处理器继续计算：{message}",
  ],
} as const satisfies Texts;

type Language = "en" | "zh";

/** Puts values into a sentence. */
const filled = (sentence: string, values: Values): string =>
  sentence.replace(/\{(\w+)\}/g, (whole, name: string) => `${values[name] ?? whole}`);

/** What a page says its sentences by. */
export interface Speaker<Key extends string> {
  /** A sentence in the language of now. */
  words(key: Key, values?: Values): string;
  /** Puts a sentence into an element, and again when the language changes. */
  say(element: Element, key: Key, values?: Values): void;
  /** Calls a function when the language has changed, for what is drawn rather than said. */
  onChange(act: () => void): void;
}

/**
 * Starts the language of a page with its own texts: elements with `data-text` are filled, those with `data-label` get it as the name that screen
 * readers say, and the button `#language` changes between the languages.
 */
export function speak<Key extends string>(
  own: Readonly<Record<Key, readonly [string, string]>>,
): Speaker<Key | keyof typeof commonTexts> {
  type Any = Key | keyof typeof commonTexts;
  const texts: Texts = { ...commonTexts, ...own };
  // Where a page of another look leads here, its language goes on.
  const stored = new URLSearchParams(location.search).get("language") ?? remembered("language");
  let language: Language =
    stored === "zh" || stored === "en" ? stored : navigator.language.startsWith("zh") ? "zh" : "en";
  const said = new Map<Element, readonly [Any, Values]>();
  const acts: (() => void)[] = [];
  const words = (key: Any, values: Values = {}) => filled(texts[key]?.[language === "zh" ? 1 : 0] ?? key, values);

  const all = () => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = words("title" as Any);
    for (const [element, [key, values]] of said)
      if (element.isConnected) element.textContent = words(key, values);
      else said.delete(element);
    for (const element of document.querySelectorAll<HTMLElement>("[data-label]"))
      element.setAttribute("aria-label", words(element.dataset["label"] as Any));
    const button = document.querySelector<HTMLElement>("#language");
    if (button) {
      button.textContent = language === "zh" ? "English" : "中文";
      button.lang = language === "zh" ? "en" : "zh-CN";
    }
    for (const act of acts) act();
  };
  for (const element of document.querySelectorAll<HTMLElement>("[data-text]"))
    said.set(element, [element.dataset["text"] as Any, {}]);
  document.querySelector("#language")?.addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    remember("language", language);
    all();
  });
  all();
  return {
    words,
    say(element, key, values = {}) {
      said.set(element, [key, values]);
      element.textContent = words(key, values);
    },
    onChange: (act) => acts.push(act),
  };
}
