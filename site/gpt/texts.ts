/** What the page of the GPT says. */
import type { Texts } from "../shared/language.ts";

export const texts = {
  title: ["A GPT that writes", "会写作的 GPT"],
  lead: [
    "A decoder of two layers (Radford et al. 2019, in small) learns a text character by character in a worker of this page, and shows what it would write. It knows nothing but the text.",
    "一个两层的解码器（Radford 等人 2019，缩小版）在本页面的 worker 中逐字符学习一段文本，并展示它会写出什么。除这段文本之外，它一无所知。",
  ],
  text: [
    "The text: the beginning of Moby Dick, or paste one of your own.",
    "文本：《白鲸记》的开头，也可以粘贴您自己的文本。",
  ],
  notYet: ["Not trained yet.", "尚未训练。"],
  nothing: [
    "Bits a character on the last tenth of the text: not measured yet.",
    "文本最后十分之一上每字符的比特数：尚未测量。",
  ],
  underWay: [
    "Epoch {epoch} of {epochs}, batch {batch} of {batches}: {bits} bits a character",
    "第 {epoch}/{epochs} 轮，第 {batch}/{batches} 批：每字符 {bits} 比特",
  ],
  result: [
    "On the last tenth of the text after {epochs} epochs: {test} bits a character; the best n-grams, which only count: {nGram}.",
    "{epochs} 轮之后，在文本最后十分之一上：每字符 {test} 比特；只做计数的最佳 n 元模型：{nGram}。",
  ],
  stopped: [
    "Stopped. The browser keeps how far it came: go on now, or after the page is loaded again, or let it write below.",
    "已停止。浏览器保存了进度：可以现在继续，也可以在重新打开页面之后继续，或在下方让它写作。",
  ],
  done: ["Trained. Go on, or let it write below.", "训练完成。可以继续训练，或在下方让它写作。"],
  tooShort: [
    "the text has {length} characters, expected at least {shortest}; paste a longer one",
    "文本有 {length} 个字符，至少需要 {shortest} 个；请粘贴更长的文本",
  ],
  lossTitle: ["Bits a character", "每字符比特数"],
  epoch: ["epoch", "轮"],
  batches: ["batches", "各批"],
  validation: ["held-out text", "未参与学习的文本"],
  samples: ["What it would write", "它会写出什么"],
  write: ["Write", "写作"],
  prompt: ["After", "开头"],
  temperature: ["Temperature", "温度"],
  temperatureMeans: [
    "Temperature: 0 takes the likeliest character each time, higher values are bolder.",
    "温度：0 表示每次取最可能的字符，数值越高写得越大胆。",
  ],
} as const satisfies Texts;
