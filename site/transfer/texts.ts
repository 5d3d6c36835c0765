/** What the page of your own images says. */
import type { Texts } from "../shared/language.ts";

export const texts = {
  title: ["Your own images", "您自己的图像"],
  lead: [
    "Name two classes or more, give each a few images, of files or of the camera, and let the page learn to tell them apart. A network that others trained on photographs (MobileNetV2) stays as it is; a linear classifier learns from its features.",
    "给两个或更多类别起名，为每一类提供几张图像（文件或摄像头），让网页学会区分它们。别人用照片训练好的网络（MobileNetV2）保持不变，线性分类器从它的特征中学习。",
  ],
  missing: [
    "This site was built without the pretrained network. Run npm ci --prefix test/published, then npm run site.",
    "构建本网站时没有预训练网络。请运行 npm ci --prefix test/published，然后运行 npm run site。",
  ],
  cameraOn: ["Turn the camera on", "打开摄像头"],
  cameraOff: ["Turn the camera off", "关闭摄像头"],
  add: ["Another class", "增加一类"],
  learn: ["Learn", "学习"],
  notYet: ["Nothing was learned yet.", "尚未学习。"],
  learning: ["Learning of {count} images …", "正在从 {count} 张图像学习……"],
  tooFew: [
    "each class needs two images at least, and there must be two classes; add some",
    "每一类至少需要两张图像，并且至少要有两类；请添加",
  ],
  learned: [
    "Learned of {count} images. Leaving out one at a time, {right} are classified correctly (by the image with the nearest pixels: {byPixels}).",
    "已从 {count} 张图像学习。依次留出一张时，正确率为 {right}（按像素找最近图像：{byPixels}）。",
  ],
  kept: [
    "The classes of an earlier visit are here again: go on with them, or begin anew.",
    "上次访问时的类别已恢复：可以继续，或重新开始。",
  ],
  tell: ["Which class is it?", "它属于哪一类？"],
  choose: ["Choose a image", "选择图像"],
  take: ["From the camera", "从摄像头拍摄"],
  image: ["The image to classify", "要识别的图像"],
  answer: ["It is {name} ({probability}).", "这是{name}（{probability}）。"],
  className: ["Name of class {number}", "第 {number} 类的名称"],
  classDefault: ["class {number}", "类别 {number}"],
  addImages: ["Add images", "添加图像"],
  addImagesTo: ["Add images to class {number}", "为第 {number} 类添加图像"],
  count: ["Images: {count}", "图像数：{count}"],
} as const satisfies Texts;
