// Owns what the browser's benchmark says: the browser it ran in and one Markdown table a work, in English or Chinese.
import { digits } from "../report.mjs";
import { contenders, devices, works } from "./contenders.mjs";

/** The longest message of a library that is told. */
const longest = 160;

const english = {
  title: (work) => `${work} in a browser`,
  head: ["Contender", "Device", "Milliseconds", "Ratio to Sardonyx there", "Loss, over the steps"],
  losses: ({ first, last, steps }) => `${first.toFixed(2)} to ${last.toFixed(2)} in ${steps}`,
  stopped: (message) => `It stopped: ${message}`,
  notFallen: ({ first, last }) => `Its loss did not fall: ${first.toFixed(2)} at first, ${last.toFixed(2)} at the end`,
  joints: [". ", ".", ": "],
  machine: ({ processor, cores, threads, browser, loadBefore }) =>
    `Machine: ${processor}, ${cores} cores, ${threads} threads; Chromium ${browser.version}, headless, pages ` +
    `${browser.isIsolated ? "isolated, so that threads share memory" : "not isolated, so that there is one thread"}; ` +
    `the graphics card: ${browser.isSoftware ? "software on the processor" : "a card"} (WebGPU: ${browser.adapter ?? "none"}; WebGL: ${browser.renderer ?? "none"}).` +
    `${loadBefore > cores / 4 ? ` Other programs kept ${loadBefore.toFixed(1)} processors busy in the minute before: expect noise.` : ""}`,
};
const chinese = {
  title: (work) => `浏览器中的 ${work}`,
  head: ["参赛者", "设备", "毫秒", "与同设备上 Sardonyx 之比", "各步的损失"],
  losses: ({ first, last, steps }) => `${steps} 步从 ${first.toFixed(2)} 到 ${last.toFixed(2)}`,
  stopped: (message) => `停止：${message}`,
  notFallen: ({ first, last }) => `损失没有下降：开始 ${first.toFixed(2)}，结束 ${last.toFixed(2)}`,
  joints: ["。", "。", "："],
  machine: ({ processor, cores, threads, browser, loadBefore }) =>
    `机器：${processor}，${cores} 核，${threads} 个线程；Chromium ${browser.version}，无界面，网页` +
    `${browser.isIsolated ? "已隔离，线程共享内存" : "未隔离，只有一个线程"}；` +
    `显卡：${browser.isSoftware ? "处理器上的软件" : "真实显卡"}（WebGPU：${browser.adapter ?? "无"}；WebGL：${browser.renderer ?? "无"}）。` +
    `${loadBefore > cores / 4 ? `此前一分钟其他程序占用了 ${loadBefore.toFixed(1)} 个处理器，噪声较大。` : ""}`,
};

const oneLine = (message) => {
  const [line = ""] = message.split("\n");
  return line.length > longest ? `${line.slice(0, longest)} …` : line;
};

/** A run whose loss did not fall has not trained. */
const hasTrained = ({ losses }) => losses !== undefined && losses.last < losses.first;

/** The table of one work, followed by a line for each contender's version, note or reason for not running. */
function tableOf(work, results, words, language) {
  const known = new Map(contenders.map((own) => [own.name, own]));
  const millisecondsOf = (name) =>
    results.find((result) => result.contender === name && hasTrained(result))?.milliseconds;
  const row = (result) => {
    const { device } = known.get(result.contender);
    const cells = [result.contender, devices[device].words[language]];
    if (!hasTrained(result)) return [...cells, "–", "–", "–"];
    const reference = millisecondsOf(devices[device].yardstick);
    const ratio = reference === undefined ? "–" : `${digits(result.milliseconds / reference)}×`;
    return [...cells, digits(result.milliseconds), ratio, words.losses(result.losses)];
  };
  const remark = ({ contender, skipped, losses, version }) => {
    const [between, end, colon] = words.joints;
    const { library, notes = {} } = known.get(contender);
    const failed = skipped === undefined ? undefined : words.stopped(oneLine(skipped));
    const said = failed ?? (losses.last < losses.first ? notes[work]?.[language] : words.notFallen(losses));
    const text = [`${library} ${version}`, said].filter(Boolean).join(between);
    return `- ${contender}${colon}${text.replace(/[.。]?$/, end)}`;
  };
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [
    `### ${words.title(work)}`,
    "",
    works[work][language],
    "",
    line(words.head),
    "| --- | --- | ---: | ---: | --- |",
    ...results.map((result) => line(row(result))),
    "",
    ...results.map(remark),
    "",
  ];
}

/** What `results` of a machine come to, as Markdown. `language` is 0 for English, 1 for Chinese. */
export function browserReport({ machine, works: results }, language) {
  const words = [english, chinese][language];
  const tables = Object.entries(results).flatMap(([work, own]) => tableOf(work, own, words, language));
  return `${[words.machine(machine), "", ...tables].join("\n").trimEnd()}\n`;
}

const [begin, end] = ["<!-- bench/browser.mjs -->", "<!-- end -->"];

/** A document with the report in the place of the one before, between its two marks. Throws Error where it lacks these. */
export function withReport(document, report) {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`the document has no ${begin} with ${end} behind it; write them where the report is to be`);
  return `${document.slice(0, from + begin.length)}\n\n${report}\n${document.slice(to)}`;
}
