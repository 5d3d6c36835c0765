/** Names of the classes of image sets, by label. */

/** MNIST's digits. */
export const mnistClasses = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;

/** Fashion-MNIST's garments. */
export const fashionMnistClasses = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
] as const;

/** CIFAR-10's objects. */
export const cifar10Classes = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;
