/** Digits of noise by transposed convolutions: a deep convolutional GAN (Radford et al. 2016). */
import { models } from "../src/index.ts";
import { ganRecipe } from "./shared/gan.ts";

export default ganRecipe({
  name: "dcgan-mnist",
  summary: "Digits generated from noise by transposed convolutions, against a convolutional discriminator",
  epochs: 15,
  next: ["sardonyx train vae-mnist            digits from a code that can be computed"],
  generator: models.convolutionalGenerator,
  discriminator: models.convolutionalDiscriminator,
});
