/** What the page of the digits says. */
import type { Texts } from "../shared/language.ts";

export const texts = {
  title: ["Handwritten digits", "手写数字"],
  lead: [
    "LeNet-5 (1998) learns 6,000 digits of MNIST in a worker of this page; 1,000 others, which it never learns from, test it. The dashed line is the simplest way to tell digits apart: which class's mean image is nearest?",
    "LeNet-5（1998）在本页面的 worker 中学习 MNIST 的 6,000 个数字，另外 1,000 个从不参与学习的数字用来测试。虚线是最简单的识别方法：与哪一类的平均图像最接近？",
  ],
  notYet: ["Not trained yet.", "尚未训练。"],
  underWay: [
    "Epoch {epoch} of {epochs}, batch {batch} of {batches}: loss {loss}",
    "第 {epoch}/{epochs} 轮，第 {batch}/{batches} 批：损失 {loss}",
  ],
  epochDone: [
    "After epoch {epoch}, {accuracy} of the test digits are classified correctly (nearest mean image: {baseline}).",
    "第 {epoch} 轮之后，测试数字的识别正确率为 {accuracy}（最近平均图像法：{baseline}）。",
  ],
  nothing: ["Test digits classified correctly: not measured yet.", "测试数字的识别正确率：尚未测试。"],
  done: ["Trained. Go on, or draw a digit below.", "训练完成。可以继续训练，或在下方画一个数字。"],
  stopped: [
    "Stopped. The browser keeps how far it came: go on now, or after the page is loaded again.",
    "已停止。浏览器保存了进度：可以现在继续，也可以在重新打开页面之后继续。",
  ],
  lossTitle: ["Loss", "损失"],
  accuracyTitle: ["Accuracy", "识别正确率"],
  epoch: ["epoch", "轮"],
  batches: ["batches", "各批"],
  training: ["training digits", "训练数字"],
  test: ["test digits", "测试数字"],
  baseline: ["nearest mean image", "最近平均图像"],
  draw: ["Draw a digit", "画一个数字"],
  howToDraw: [
    "With a finger or the mouse. With keys: arrows move the pen, the space key puts it down and lifts it.",
    "用手指或鼠标画。也可以用键盘：方向键移动画笔，空格键落笔和提笔。",
  ],
  pad: ["Field to draw a digit in", "画数字的区域"],
  seen: [
    "What the network sees: the digit centred in 28 × 28 pixels, as MNIST's are.",
    "网络看到的图像：像 MNIST 那样居中的 28 × 28 像素。",
  ],
  clear: ["Clear", "清除"],
  example: ["A test digit", "取一个测试数字"],
  noNetwork: ["Train the network first; it then reads what you draw.", "请先训练网络，然后它会识别您画的数字。"],
  drawNow: ["The network is ready: draw a digit.", "网络已就绪：请画一个数字。"],
  answer: ["It is a {digit} ({probability}).", "这是 {digit}（{probability}）。"],
} as const satisfies Texts;
