/** What the page of the depth says. */
import type { Texts } from "../shared/language.ts";

export const texts = {
  title: ["What depth does", "深度的作用"],
  lead: [
    "A network learns which of two spirals a point lies on. Train several, each with other layers: their curves stay for comparison. Try 16 layers of sigmoids, whose gradients vanish on their way to the input, then shortcuts and normalization; 1 layer of 64 units beside 4 of 16; or weights that begin twice as large.",
    "网络学习一个点属于两条螺旋线中的哪一条。可以训练多个层数不同的网络，它们的曲线会保留下来以便比较。请试试 16 层 sigmoid，其梯度在传向输入的途中消失，然后再加上残差连接和归一化；也可以比较 1 层 64 个单元与 4 层 16 个单元，或使用加倍的初始权重。",
  ],
  hidden: ["Hidden layers", "隐藏层数"],
  width: ["Units of each layer", "每层单元数"],
  gain: ["Factor of the initial weights", "初始权重的倍数"],
  activation: ["Activation", "激活函数"],
  residual: ["Shortcuts (residual)", "残差连接"],
  normalized: ["Batch normalization", "批归一化"],
  clear: ["Clear the curves", "清除曲线"],
  notYet: ["Not trained yet.", "尚未训练。"],
  underWay: [
    "{name}: epoch {epoch} of {epochs}, {right} of the held-out points classified correctly (by the nearest neighbour: {baseline}).",
    "{name}：第 {epoch}/{epochs} 轮，未参与学习的点的正确率为 {right}（最近邻：{baseline}）。",
  ],
  done: [
    "{name}: trained, {right} of the held-out points classified correctly (by the nearest neighbour: {baseline}).",
    "{name}：训练完成，未参与学习的点的正确率为 {right}（最近邻：{baseline}）。",
  ],
  plane: ["The plane as the network of now divides it", "当前网络对平面的划分"],
  planeLabel: [
    "Two spirals of points, over the colours that the network gives each place of the plane",
    "两条由点组成的螺旋线，背景颜色表示网络对平面各处的判断",
  ],
  accuracyTitle: ["Accuracy on held-out points", "未参与学习的点的正确率"],
  epoch: ["epoch", "轮"],
  normsTitle: ["Norm of the weights' gradients", "权重梯度的范数"],
  layer: ["layer, from the input to the output", "层，从输入到输出"],
  layers: ["{depth} layers of {activation}", "{depth} 层 {activation}"],
  oneLayer: ["1 layer of {activation}", "1 层 {activation}"],
  withUnits: ["{width} units", "{width} 个单元"],
  withGain: ["weights ×{gain}", "权重 ×{gain}"],
  withShortcuts: ["shortcuts", "残差"],
  withNorm: ["normalized", "归一化"],
  baseline: ["nearest neighbour", "最近邻"],
} as const satisfies Texts;
