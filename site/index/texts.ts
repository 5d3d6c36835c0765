/** What the first page says. */
import type { Texts } from "../shared/language.ts";

export const texts = {
  title: ["Sardonyx in the browser", "浏览器中的 Sardonyx"],
  lead: [
    "Networks that are trained and looked into in a page, by Sardonyx on your graphics card (WebGPU) or the processor (WebAssembly). No server computes anything.",
    "在网页中训练和查看神经网络，由 Sardonyx 在您的显卡（WebGPU）或处理器（WebAssembly）上完成，不需要任何服务器参与计算。",
  ],
  aboutDigits: [
    "LeNet learns 6,000 handwritten digits while you watch, then reads what you draw.",
    "LeNet 当着您的面学习 6,000 个手写数字，然后识别您画的数字。",
  ],
  aboutInspect: [
    "Drop a model file: its layers, parameters, depth and cost.",
    "放入一个模型文件，查看它的层、参数、深度和计算量。",
  ],
  aboutGpt: [
    "A small GPT learns to write from Moby Dick, or from a text of yours, letter by letter.",
    "一个小型 GPT 逐字符地从《白鲸记》或您自己的文本学习写作。",
  ],
  aboutDepth: [
    "What depth does to learning: plain, residual and normalized networks of 1 to 16 layers on two spirals.",
    "深度如何影响学习：1 到 16 层的普通、残差和归一化网络区分两条螺旋线。",
  ],
  aboutTransfer: [
    "Name classes, give each a few images of files or the camera, and let the page tell them apart.",
    "给类别起名，为每一类提供几张文件或摄像头图像，让网页学会区分。",
  ],
  device: [
    "The engine is about 4 MB, loaded when a page first computes. Training runs in a worker, so the pages stay responsive.",
    "引擎约 4 MB，在页面首次计算时加载。训练在 worker 中进行，页面始终能够响应。",
  ],
} as const satisfies Texts;
