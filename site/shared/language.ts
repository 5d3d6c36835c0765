/** What the pages say, in English and Chinese: the reader's choice, kept by the browser, and every sentence that is shown. */

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
} as const satisfies Texts;

const storageKey = "sardonyx-site-language";
type Language = "en" | "zh";

/** Browsers that let a page store nothing throw; the choice then lasts as long as the page. */
function remembered(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}
function remember(language: Language): void {
  try {
    localStorage.setItem(storageKey, language);
  } catch {
    // Nothing is lost but the choice.
  }
}

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
  const stored = remembered();
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
    remember(language);
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
