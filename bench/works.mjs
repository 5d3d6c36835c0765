// Owns the names and meanings of the benchmark's works, in the order in which the driver runs them.

/** One sentence for each work; README.md gives the layers and shapes that every contender follows. */
export const works = {
  "lenet-step": "One training step of a small convolutional network, batch 64 of [1, 28, 28], Adam.",
  "mlp-step": "One training step of a 784-512-512-10 perceptron, batch 128, Adam.",
  "cnn-step": "One training step of four convolutions with batch normalization, batch 64 of [3, 32, 32], Adam.",
  "resnet18-step": "One training step of ResNet-18, batch 16 of [3, 96, 96], Adam.",
  "resnet18-small-step": "One training step of ResNet-18, batch 32 of [3, 32, 32], Adam.",
  "resnet18-one-step": "One training step of ResNet-18, batch 1 of [3, 224, 224], Adam.",
  "resnet50-step": "One training step of ResNet-50, batch 4 of [3, 224, 224], Adam.",
  "vgg16-step": "One training step of VGG-16, batch 4 of [3, 96, 96], Adam.",
  "mobilenet-step": "One training step of MobileNetV2, batch 16 of [3, 96, 96], Adam.",
  "efficientnet-step": "One training step of EfficientNet-B0, batch 8 of [3, 96, 96], Adam.",
  "densenet-step": "One training step of DenseNet-121, batch 4 of [3, 96, 96], Adam.",
  "deconvolution-step":
    "One training step of a generator of images by transposed convolutions, batch 32 of [3, 32, 32], Adam.",
  "lstm-step": "Forward and backward of an LSTM of 128 units on 32 sequences of 120 steps of 128 features.",
  "gpt-step": "One training step of a GPT of 6 layers, width 384, 6 heads on 8 texts of 256 tokens, Adam.",
  "gpt2-step": "One training step of GPT-2 of 124 million parameters on a text of 512 tokens, Adam.",
  "bert-step": "One training step of BERT-base with a head for two classes on 8 texts of 128 tokens, Adam.",
  "gpt-generate": "One token of text from that GPT, whose earlier 128 to 255 tokens are kept as keys and values.",
  "gpt2-generate": "One token of text from GPT-2 of 124 million parameters, whose earlier 128 to 255 tokens are kept.",
  "gpt2-generate-8": "One token of each of eight such texts, read side by side.",
  "llama-generate": "One token of text from a made-up Llama of 97 million parameters in float32, read from GGUF.",
  "llama-generate-4bit": "The same from a file that stores its matrices in 4 bits.",
  "lenet-predict": "One prediction by the network of lenet-step, [1, 1, 28, 28].",
  "lenet-predict-64": "One prediction by it for a batch of 64.",
  "resnet50-predict": "One prediction by ResNet-50, [1, 3, 224, 224].",
  "bert-predict": "One prediction by BERT-base, 128 tokens.",
  matmul: "One product of two matrices 1024x1024: 2.15 GFLOP, the rate that everything above is measured against.",
  "adam-32m": "One Adam update of 32 Mi float32 parameters whose gradients are given.",
  dispatch: "One call of a compiled x + y on four floats.",
};
