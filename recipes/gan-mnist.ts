/** Digits of noise: a generative adversarial network of dense layers (Goodfellow et al. 2014). */
import { models } from "../src/index.ts";
import { ganRecipe } from "./shared/gan.ts";

export default ganRecipe({
  name: "gan-mnist",
  summary: "Digits generated from noise by dense layers of 128 units, against a discriminator of the same size",
  epochs: 60,
  next: ["sardonyx train dcgan-mnist          the same with convolutions"],
  generator: models.denseGenerator,
  discriminator: models.denseDiscriminator,
});
