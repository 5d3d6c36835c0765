/**
 * Records outputs of small TensorFlow graphs in TensorFlow.js into test/fixtures/tfjs/graphs.json. The graphs are written
 * here node by node, as tensorflowjs_converter writes them: new files have text in base64 and types by name, old ones lists
 * of bytes and types by number. Weights and inputs are computed from their names alone and not recorded.
 *
 *   npm install --prefix bench && node scripts/record-tfjs-graph-fixtures.mjs
 */
import { inputOf, plain, tf, weightOf, write } from "./tfjs-recording.mjs";

const codes = { DT_FLOAT: 1, DT_INT32: 3, DT_BOOL: 10 };
const dtypes = { DT_FLOAT: "float32", DT_INT32: "int32", DT_BOOL: "bool" };

/** A graph as it grows. A node is named by what it gives: `conv1/Conv2D`, `split:1`. */
class GraphBuilder {
  nodes = [];
  weights = [];
  /** Elements of tensors that are no weights, by name. */
  settings = {};
  inputs = [];
  outputs = [];
  constructor(isOld) {
    this.isOld = isOld;
  }

  /** Attributes in JSON, from { i, f, b, s, type, ints, texts }. */
  #attributes(given) {
    const text = (value) => (this.isOld ? [...Buffer.from(value)] : Buffer.from(value).toString("base64"));
    const write = {
      i: (value) => ({ i: String(value) }),
      f: (value) => ({ f: value }),
      b: (value) => ({ b: value }),
      s: (value) => ({ s: text(value) }),
      type: (value) => ({ type: this.isOld ? codes[value] : value }),
      ints: (value) => ({ list: { i: value.map(String) } }),
      texts: (value) => ({ list: { s: value.map(text) } }),
      shape: (value) => ({ shape: { dim: value.map((extent) => ({ size: String(extent) })) } }),
    };
    return Object.fromEntries(
      Object.entries(given).map(([name, own]) => {
        const [[kind, value]] = Object.entries(own);
        return [name, write[kind](value)];
      }),
    );
  }

  op(op, name, input, attributes = {}) {
    this.nodes.push({ name, op, ...(input.length > 0 && { input }), attr: this.#attributes(attributes) });
    return name;
  }
  placeholder(shape, type = "DT_FLOAT", limit = undefined) {
    const name = `input${this.inputs.length}`;
    this.inputs.push({ name, shape: [2, ...shape], type, limit });
    return this.op("Placeholder", name, [], { dtype: { type }, shape: { shape: [-1, ...shape] } });
  }
  #stored(name, shape, type) {
    this.weights.push({ name, shape, dtype: dtypes[type] });
    return this.op("Const", name, [], { dtype: { type } });
  }
  weight(name, shape) {
    return this.#stored(name, shape, "DT_FLOAT");
  }
  setting(name, values, { shape = [values.length], type = "DT_INT32" } = {}) {
    this.settings[name] = values;
    return this.#stored(name, shape, type);
  }
  scalar(name, value, type = "DT_INT32") {
    return this.setting(name, [value], { shape: [], type });
  }
  out(...names) {
    this.outputs.push(...names);
  }

  /** The graph, and what TensorFlow.js computes of it. */
  async record() {
    const entries = (names, typeOf) =>
      Object.fromEntries(
        names.map((name, i) => [`${i}`, { name: name.includes(":") ? name : `${name}:0`, ...typeOf(i) }]),
      );
    const signature = {
      inputs: entries(
        this.inputs.map(({ name }) => name),
        (i) => ({
          dtype: this.inputs[i].type,
          tensorShape: { dim: this.inputs[i].shape.map((extent, axis) => ({ size: String(axis ? extent : -1) })) },
        }),
      ),
      outputs: entries(this.outputs, () => ({})),
    };
    const modelTopology = { node: this.nodes, versions: { producer: 1075 } };
    const bytes = this.weights.map(({ name, shape, dtype }) => {
      const numbers = this.settings[name] ?? weightOf(name, shape);
      const data = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype].from(numbers);
      return Buffer.from(data.buffer);
    });
    const weightData = new Uint8Array(Buffer.concat(bytes)).buffer;
    const artifacts = { modelTopology, signature, format: "graph-model", weightSpecs: this.weights, weightData };
    const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
    const given = this.inputs.map(({ shape, limit, type }, i) => inputOf(i, shape, limit, dtypes[type]));
    const feed = Object.fromEntries(this.inputs.map(({ name }, i) => [name, given[i]]));
    const outputs = await model.executeAsync(feed, this.outputs);
    return {
      model: {
        format: "graph-model",
        ...(this.isOld ? { userDefinedMetadata: { signature } } : { signature }),
        modelTopology,
        weightsManifest: [{ paths: ["weights.bin"], weights: this.weights }],
      },
      settings: this.settings,
      inputs: this.inputs.map(({ shape, limit }) => ({ shape, ...(limit !== undefined && { limit }) })),
      outputs: [outputs].flat().map(plain),
    };
  }
}

/** Attributes of windows. */
const window = (strides, padding, more = {}) => ({
  T: { type: "DT_FLOAT" },
  strides: { ints: [1, ...strides, 1] },
  dilations: { ints: [1, 1, 1, 1] },
  padding: { s: padding },
  data_format: { s: "NHWC" },
  ...more,
});
const float = { T: { type: "DT_FLOAT" } };
const dilated = (dilations) => ({ dilations: { ints: [1, ...dilations, 1] } });

const cases = {
  convolutions(g) {
    const x = g.placeholder([5, 6, 2]);
    const conv = (name, kernel, attributes) =>
      g.op("Conv2D", `m/${name}/Conv2D`, [x, g.weight(`m/${name}/kernel`, kernel)], attributes);
    const y = conv("same", [3, 3, 2, 4], window([2, 2], "SAME"));
    g.out(
      g.op("BiasAdd", "m/same/BiasAdd", [y, g.weight("m/same/bias", [4])], { ...float, data_format: { s: "NHWC" } }),
      conv("valid", [2, 3, 2, 3], window([1, 2], "VALID")),
      conv("dilated", [2, 2, 2, 2], window([1, 1], "SAME", dilated([2, 3]))),
      conv(
        "explicit",
        [3, 3, 2, 2],
        window([2, 1], "EXPLICIT", { explicit_paddings: { ints: [0, 0, 1, 0, 2, 1, 0, 0] } }),
      ),
    );
  },
  "convolutions fused with what follows"(g) {
    const x = g.placeholder([5, 6, 2]);
    const fused = (name, op, kernel, others, ops, more = {}) =>
      g.op(
        op,
        `m/${name}/act`,
        [x, g.weight(`m/${name}/kernel`, kernel), ...others],
        window([2, 2], "SAME", {
          num_args: { i: others.length },
          fused_ops: { texts: ops },
          ...more,
        }),
      );
    const bias = (name, count) => g.weight(`m/${name}/bias`, [count]);
    g.out(
      fused("relu6", "_FusedConv2D", [3, 3, 2, 4], [bias("relu6", 4)], ["BiasAdd", "Relu6"]),
      fused("plain", "_FusedConv2D", [1, 2, 2, 3], [bias("plain", 3)], ["BiasAdd"]),
      fused("leaky", "_FusedConv2D", [2, 2, 2, 3], [bias("leaky", 3)], ["BiasAdd", "LeakyRelu"], {
        leakyrelu_alpha: { f: 0.3 },
      }),
      fused(
        "prelu",
        "_FusedConv2D",
        [2, 2, 2, 3],
        [bias("prelu", 3), g.weight("m/prelu/alpha", [1, 1, 3])],
        ["BiasAdd", "Prelu"],
      ),
      fused("depthwise", "FusedDepthwiseConv2dNative", [3, 3, 2, 2], [bias("depthwise", 4)], ["BiasAdd", "Relu"]),
    );
  },
  "convolutions of each channel, and back to larger images"(g) {
    const x = g.placeholder([4, 5, 2]);
    const sizes = g.setting("m/up/sizes", [2, 8, 9, 3]);
    g.out(
      g.op(
        "DepthwiseConv2dNative",
        "m/depthwise/depthwise",
        [x, g.weight("m/depthwise/kernel", [3, 2, 2, 3])],
        window([2, 2], "SAME"),
      ),
      g.op(
        "Conv2DBackpropInput",
        "m/up/conv2d_transpose",
        [sizes, g.weight("m/up/kernel", [3, 3, 3, 2]), x],
        window([2, 2], "SAME"),
      ),
    );
  },
  "pooling and batch normalization"(g) {
    const x = g.placeholder([5, 6, 2]);
    const pooled = ["MaxPool", "AvgPool"].flatMap((op) =>
      ["SAME", "VALID"].map((way) =>
        g.op(op, `m/${op}${way}`, [x], window([2, 2], way, { ksize: { ints: [1, 3, 2, 1] } })),
      ),
    );
    const vectors = ["gamma", "beta", "mean", "variance"].map((name) => g.weight(`m/bn/${name}`, [2]));
    const normalized = g.op("FusedBatchNormV3", "m/bn/FusedBatchNormV3", [x, ...vectors], {
      ...float,
      epsilon: { f: 0.001 },
      is_training: { b: false },
      data_format: { s: "NHWC" },
    });
    g.out(...pooled, g.op("Relu6", "m/relu/Relu6", [normalized], float));
  },
  "a residual block, then a classifier"(g) {
    const x = g.placeholder([4, 4, 3]);
    const conv = (from, name, channels) => {
      const y = g.op(
        "Conv2D",
        `m/${name}/Conv2D`,
        [from, g.weight(`m/${name}/kernel`, [3, 3, channels, 4])],
        window([1, 1], "SAME"),
      );
      return g.op("BiasAdd", `m/${name}/BiasAdd`, [y, g.weight(`m/${name}/bias`, [4])], float);
    };
    const first = g.op("Relu", "m/first/Relu", [conv(x, "first", 3)], float);
    const second = conv(first, "second", 4);
    const factor = g.weight("m/scale/factor", [4]);
    const scaled = g.op("Mul", "m/scale/Mul", [second, factor], float);
    const sum = g.op("AddV2", "m/add/AddV2", [scaled, first], float);
    const joined = g.op("ConcatV2", "m/concat", [sum, first, g.scalar("m/concat/axis", 3)], { ...float, N: { i: 2 } });
    const axes = g.setting("m/pool/axes", [1, 2]);
    const pooled = g.op("Mean", "m/pool/Mean", [joined, axes], { ...float, keep_dims: { b: false } });
    const flat = g.op("Reshape", "m/flat/Reshape", [first, g.setting("m/flat/shape", [-1, 64])], float);
    const dense = g.op(
      "_FusedMatMul",
      "m/dense/Relu",
      [flat, g.weight("m/dense/kernel", [64, 3]), g.weight("m/dense/bias", [3])],
      {
        ...float,
        num_args: { i: 1 },
        fused_ops: { texts: ["BiasAdd", "Relu"] },
      },
    );
    const logits = g.op("MatMul", "m/logits/MatMul", [pooled, g.weight("m/logits/kernel", [8, 3])], {
      ...float,
      transpose_a: { b: false },
      transpose_b: { b: false },
    });
    g.out(dense, g.op("Softmax", "m/logits/Softmax", [logits], float));
  },
  "functions of elements"(g) {
    const x = g.placeholder([4]);
    const y = g.op("Add", "m/positive", [g.op("Abs", "m/abs", [x], float), g.scalar("m/one", 0.1, "DT_FLOAT")], float);
    const functions = [
      "Acos",
      "Asin",
      "Asinh",
      "Atan",
      "Atanh",
      "Ceil",
      "Cos",
      "Cosh",
      "Elu",
      "Erf",
      "Exp",
      "Expm1",
      "Floor",
    ];
    const more = [
      "LeakyRelu",
      "Neg",
      "Relu",
      "Relu6",
      "Round",
      "Selu",
      "Sigmoid",
      "Sign",
      "Sin",
      "Sinh",
      "Softplus",
      "Square",
      "Tan",
      "Tanh",
    ];
    const small = (name) => g.op("Mul", `m/small${name}`, [x, g.scalar(`m/c${name}`, 0.9, "DT_FLOAT")], float);
    g.out(
      ...functions.map((op) => g.op(op, `m/${op}`, [small(op)], float)),
      ...more.map((op) => g.op(op, `m/${op}`, [x], float)),
      ...["Log", "Log1p", "Reciprocal", "Rsqrt", "Sqrt"].map((op) => g.op(op, `m/${op}`, [y], float)),
    );
  },
  "functions of two operands"(g) {
    const [x, y] = [g.placeholder([4]), g.placeholder([4])];
    const [m, n] = [g.placeholder([4], "DT_INT32", 9), g.setting("m/n", [3, 2, 5, 4])];
    const binary = [
      "AddV2",
      "Sub",
      "Mul",
      "RealDiv",
      "Maximum",
      "Minimum",
      "SquaredDifference",
      "FloorDiv",
      "DivNoNan",
    ];
    const less = g.op("Less", "m/less", [x, y], float);
    const more = g.op("GreaterEqual", "m/more", [x, y], float);
    const power = g.op("Pow", "m/Pow", [g.op("Abs", "m/abs", [x], float), y], float);
    const ints = { T: { type: "DT_INT32" } };
    const shifted = g.op("Sub", "m/shifted", [m, g.scalar("m/four", 4)], ints);
    g.out(
      ...binary.map((op) => g.op(op, `m/${op}`, [x, y], float)),
      power,
      g.op("SelectV2", "m/select", [less, x, y], float),
      g.op("Cast", "m/cast", [g.op("LogicalAnd", "m/and", [g.op("LogicalNot", "m/not", [less]), more])], {
        SrcT: { type: "DT_BOOL" },
        DstT: { type: "DT_FLOAT" },
      }),
      g.op("FloorDiv", "m/whole", [shifted, n], ints),
      g.op("FloorMod", "m/rest", [shifted, n], ints),
      g.op("AddN", "m/sum", [x, y, x], { ...float, N: { i: 3 } }),
    );
  },
  reductions(g) {
    const x = g.placeholder([3, 4, 2]);
    const axes = { spatial: [1, 2], last: [3], first: [-3], all: [0, 1, 2, 3] };
    const reduced = Object.entries(axes).flatMap(([name, own]) => {
      const operand = g.setting(`m/${name}`, own);
      return ["Mean", "Sum", "Max", "Min", "Prod"].map((op, i) =>
        g.op(op, `m/${op}${name}`, [x, operand], { ...float, keep_dims: { b: i % 2 === 0 } }),
      );
    });
    const top = g.op(
      "TopKV2",
      "m/top",
      [g.op("Reshape", "m/rows", [x, g.setting("m/rows/shape", [2, 24])], float), g.scalar("m/k", 3)],
      { sorted: { b: true } },
    );
    g.out(
      ...reduced,
      g.op("ArgMax", "m/argmax", [x, g.scalar("m/argmax/axis", 3)], float),
      g.op("Cumsum", "m/cumsum", [x, g.scalar("m/cumsum/axis", 2)], { exclusive: { b: false }, reverse: { b: false } }),
      top,
      `${top}:1`,
    );
  },
  "shapes that are computed from shapes"(g) {
    const x = g.placeholder([3, 4, 2]);
    const ints = { T: { type: "DT_INT32" } };
    const shape = g.op("Shape", "m/shape", [x], { ...float, out_type: { type: "DT_INT32" } });
    const one = g.setting("m/one", [1]);
    const batch = g.op("StridedSlice", "m/batch", [shape, g.setting("m/zero", [0]), one, one], {
      ...ints,
      shrink_axis_mask: { i: 1 },
    });
    const rest = g.op("StridedSlice", "m/rest", [shape, one, g.setting("m/four", [4]), one], ints);
    const count = g.op("Prod", "m/count", [rest, g.setting("m/zeroth", [0])], ints);
    const target = g.op("Pack", "m/target", [batch, count], { ...ints, N: { i: 2 }, axis: { i: 0 } });
    const flat = g.op("Reshape", "m/flat", [x, target], float);
    const filled = g.op("Fill", "m/filled", [target, g.scalar("m/half", 0.5, "DT_FLOAT")], float);
    const range = g.op("Range", "m/range", [g.scalar("m/start", 2), count, g.scalar("m/step", 5)], {
      Tidx: { type: "DT_INT32" },
    });
    g.out(flat, g.op("Sub", "m/sub", [flat, filled], float), range, g.op("ZerosLike", "m/zeros", [x], float));
  },
  "moving elements"(g) {
    const x = g.placeholder([3, 4, 2]);
    const settings = (name, values) => g.setting(`m/${name}`, values);
    const split = g.op("Split", "m/split", [g.scalar("m/split/axis", 2), x], { ...float, num_split: { i: 2 } });
    const parts = g.op("SplitV", "m/parts", [x, settings("lengths", [1, -1]), g.scalar("m/parts/axis", 1)], {
      ...float,
      num_split: { i: 2 },
    });
    const rows = g.op("Unpack", "m/rows", [x], { ...float, num: { i: 4 }, axis: { i: 2 } });
    const expanded = g.op("ExpandDims", "m/expanded", [x, g.scalar("m/expanded/axis", -1)], float);
    g.out(
      g.op("Transpose", "m/transpose", [x, settings("perm", [0, 2, 3, 1])], float),
      g.op("Squeeze", "m/squeeze", [expanded], { ...float, squeeze_dims: { ints: [4] } }),
      `${split}:1`,
      parts,
      `${parts}:1`,
      `${rows}:2`,
      g.op("Pack", "m/pack", [`${rows}:1`, rows], { ...float, N: { i: 2 }, axis: { i: 1 } }),
      g.op("Slice", "m/slice", [x, settings("begin", [0, 1, 0, 1]), settings("size", [2, -1, 3, 1])], float),
      g.op("Tile", "m/tile", [x, settings("multiples", [1, 2, 1, 2])], float),
      g.op("Pad", "m/pad", [x, g.setting("m/widths", [0, 0, 1, 2, 0, 1, 0, 0], { shape: [4, 2] })], float),
      g.op("PadV2", "m/padv2", [x, "m/widths", g.scalar("m/pad/value", 0.25, "DT_FLOAT")], float),
      g.op("MirrorPad", "m/mirror", [x, "m/widths"], { ...float, mode: { s: "REFLECT" } }),
      g.op("ReverseV2", "m/reverse", [x, settings("reversed", [1])], float),
      g.op("BroadcastTo", "m/broadcast", [g.weight("m/row", [1, 2]), settings("wide", [3, 2])], float),
    );
  },
  "slices with steps and marks"(g) {
    const x = g.placeholder([5, 6, 2]);
    const slice = (name, begin, end, strides, masks = {}) =>
      g.op(
        "StridedSlice",
        `m/${name}`,
        [
          x,
          g.setting(`m/${name}/begin`, begin),
          g.setting(`m/${name}/end`, end),
          g.setting(`m/${name}/strides`, strides),
        ],
        { ...float, ...Object.fromEntries(Object.entries(masks).map(([mask, bits]) => [`${mask}_mask`, { i: bits }])) },
      );
    g.out(
      slice("plain", [0, 1, 2, 0], [2, 4, 6, 1], [1, 1, 2, 1]),
      slice("masked", [0, 2, 9, 0], [0, 0, -1, 2], [1, 1, 1, 1], { begin: 5, end: 3 }),
      slice("back", [0, 4, 0, 0], [2, 0, 6, 2], [1, -2, 1, 1]),
      slice("index", [0, -1, 1, 0], [0, 0, 5, 0], [1, 1, 2, 1], { begin: 9, end: 9, shrink: 2 }),
      slice("ellipsis", [0, 1], [0, 2], [1, 1], { ellipsis: 1, shrink: 2 }),
      slice("fresh", [0, 0, 1], [0, 0, 3], [1, 1, 1], { begin: 1, end: 1, new_axis: 2 }),
    );
  },
  "reading at positions"(g) {
    const x = g.placeholder([3], "DT_INT32", 5);
    const table = g.weight("m/embedding/embeddings", [5, 4]);
    const zero = g.scalar("m/embedding/axis", 0);
    const rows = g.op("GatherV2", "m/embedding/embedding_lookup", [table, x, zero], { Taxis: { type: "DT_INT32" } });
    const hot = [g.scalar("m/depth", 5), g.scalar("m/on", 1, "DT_FLOAT"), g.scalar("m/off", 0, "DT_FLOAT")];
    const addresses = g.setting("m/at", [0, 1, 1, 2], { shape: [2, 2] });
    g.out(
      rows,
      g.op("GatherV2", "m/columns", [rows, g.setting("m/columns/at", [2, 0]), g.scalar("m/columns/axis", 2)], float),
      g.op("GatherNd", "m/nd", [rows, addresses], float),
      g.op("OneHot", "m/hot", [x, ...hot], { ...float, axis: { i: -1 } }),
    );
  },
  "matrix products"(g) {
    const [a, b] = [g.placeholder([3, 4]), g.placeholder([4, 5])];
    const rows = g.op("Reshape", "m/rows", [a, g.setting("m/rows/shape", [6, 4])], float);
    const product = (name, w, flags) =>
      g.op("MatMul", `m/${name}`, [rows, w], {
        ...float,
        ...Object.fromEntries(Object.entries(flags).map(([flag, value]) => [flag, { b: value }])),
      });
    g.out(
      product("plain", g.weight("m/plain/w", [4, 2]), { transpose_a: false, transpose_b: false }),
      product("b", g.weight("m/b/w", [3, 4]), { transpose_b: true }),
      product("a", g.weight("m/a/w", [6, 2]), { transpose_a: true }),
      g.op("BatchMatMulV2", "m/batched", [a, b], { ...float, adj_x: { b: false }, adj_y: { b: false } }),
      g.op("BatchMatMul", "m/adjoint", [b, a], { ...float, adj_x: { b: true }, adj_y: { b: true } }),
      g.op("Einsum", "m/einsum", [a, b], { ...float, N: { i: 2 }, equation: { s: "bij,bjk->bki" } }),
      g.op("LogSoftmax", "m/log", [a], float),
    );
  },
  "resizing images"(g) {
    const x = g.placeholder([3, 4, 2]);
    const [up, down] = [g.setting("m/up", [5, 8]), g.setting("m/down", [2, 3])];
    const flags = {
      corners: { align_corners: { b: true } },
      centres: { half_pixel_centers: { b: true } },
      neither: {},
    };
    const resized = Object.entries(flags).flatMap(([name, own]) =>
      ["ResizeBilinear", "ResizeNearestNeighbor"].flatMap((op) => [
        g.op(op, `m/${op}${name}Up`, [x, up], { ...float, ...own }),
        g.op(op, `m/${op}${name}Down`, [x, down], { ...float, ...own }),
      ]),
    );
    g.out(...resized);
  },
  "blocks of images"(g) {
    const [x, y] = [g.placeholder([4, 3, 2]), g.placeholder([2, 3, 8])];
    const blocks = g.setting("m/blocks", [2, 2]);
    const batched = g.op(
      "SpaceToBatchND",
      "m/tobatch",
      [x, blocks, g.setting("m/paddings", [0, 0, 1, 0], { shape: [2, 2] })],
      float,
    );
    g.out(
      batched,
      g.op(
        "BatchToSpaceND",
        "m/tospace",
        [batched, blocks, g.setting("m/crops", [1, 0, 0, 1], { shape: [2, 2] })],
        float,
      ),
      g.op("DepthToSpace", "m/depth", [y], { ...float, block_size: { i: 2 }, data_format: { s: "NHWC" } }),
    );
  },
};

const recorded = {};
for (const [i, [name, build]] of Object.entries(cases).entries()) {
  const graph = new GraphBuilder(i % 3 === 1);
  build(graph);
  recorded[name] = await graph.record();
}
write("graphs.json", "record-tfjs-graph-fixtures.mjs", recorded);
console.log(
  Object.entries(recorded)
    .map(([name, own]) => `${name}: ${JSON.stringify(own).length}`)
    .join("\n"),
);
