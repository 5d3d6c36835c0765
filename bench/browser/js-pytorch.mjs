// The js-pytorch contenders: its layers and its Adam, in plain JavaScript or on the graphics card by GPU.js.
import { labels, uniform } from "../contenders/data.mjs";
import { gpt, gptTokens } from "../contenders/gpt-sizes.mjs";
import { backend, contend } from "./contend.mjs";

// Its files lie in the page as scripts (site.mjs): what they give is there, and modules cannot import it.
const { torch } = globalThis.exports;
const { nn, optim } = torch;

/** Numbers as the lists of lists that its tensors are made of. */
function nested(values, [extent, ...rest]) {
  const size = values.length / extent;
  return Array.from({ length: extent }, (_, at) => {
    const part = values.slice(at * size, (at + 1) * size);
    return rest.length > 0 ? nested(part, rest) : [...part];
  }).map((part) => (rest.length > 0 ? part : part[0]));
}

function training(model, x, y) {
  const lossOf = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), 1e-3, 0);
  return {
    step() {
      const loss = lossOf.forward(model.forward(x), y);
      loss.backward();
      optimizer.step();
      optimizer.zero_grad();
      return loss.data[0];
    },
  };
}

class Lenet extends nn.Module {
  constructor() {
    super();
    this.first = new nn.Conv2d(1, 32, 3);
  }
}

class Mlp extends nn.Module {
  constructor() {
    super();
    this.relu = new nn.ReLU();
    this.first = new nn.Linear(784, 512, backend);
    this.second = new nn.Linear(512, 512, backend);
    this.output = new nn.Linear(512, 10, backend);
  }
  forward(x) {
    const hidden = this.relu.forward(this.first.forward(x));
    return this.output.forward(this.relu.forward(this.second.forward(hidden)));
  }
}

/** Its own blocks: as GPT-2's but for ReLU in place of Gelu, and scores by a layer of its own. */
class Gpt extends nn.Module {
  constructor({ vocabulary, width, tokens, heads }) {
    super();
    this.embed = new nn.Embedding(vocabulary, width);
    this.places = new nn.PositionalEmbedding(tokens, width);
    this.first = new nn.Block(width, width, heads, tokens, 0, backend);
    this.second = new nn.Block(width, width, heads, tokens, 0, backend);
    this.norm = new nn.LayerNorm(width);
    this.output = new nn.Linear(width, vocabulary, backend);
  }
  forward(x) {
    const embedded = torch.add(this.embed.forward(x), this.places.forward(x));
    return this.output.forward(this.norm.forward(this.second.forward(this.first.forward(embedded))));
  }
}

function mlp() {
  const x = torch.tensor(nested(uniform(128 * 784), [128, 784]), false, backend);
  return training(new Mlp(), x, torch.tensor([...labels(128)]));
}

function gptStep() {
  const ids = gptTokens();
  const x = torch.tensor(nested(ids, [gpt.texts, gpt.tokens, 1]));
  const y = torch.tensor(nested(ids, [gpt.texts, gpt.tokens]));
  return training(new Gpt(gpt), x, y);
}

await contend({ "lenet-step": () => training(new Lenet()), "mlp-step": mlp, "gpt-small-step": gptStep });
