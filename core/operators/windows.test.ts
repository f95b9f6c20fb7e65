import { expect, test } from "vitest";
import { findOperator } from "./index.ts";
import { readAttributes } from "./attributes.ts";
import { windowCounts } from "./average-pool.ts";
import { slidingWindow } from "./sliding-window.ts";
import { inferred } from "./testing/infer.ts";

const fail = (message: string): never => {
  throw new Error(message);
};

test("Conv gives (size + pads - reach) / stride + 1, rounded down, on one, two and three axes", () => {
  expect(inferred("Conv", { inputs: [["batch", 3, 32, 32], [16, 3, 3, 3], [16]] })).toEqual(["float32 batch,16,30,30"]);
  expect(
    inferred("Conv", {
      inputs: [
        ["batch", 3, 9, 7],
        [4, 3, 3, 3],
      ],
      attributes: { strides: [2, 2], pads: [1, 1, 1, 1] },
    }),
  ).toEqual(["float32 batch,4,5,4"]);
  expect(
    inferred("Conv", {
      inputs: [
        ["batch", 4, 20],
        [6, 2, 3],
      ],
      attributes: { group: 2, dilations: [4] },
    }),
  ).toEqual(["float32 batch,6,12"]);
  expect(
    inferred("Conv", {
      inputs: [
        ["batch", 1, 4, 5, 6],
        [2, 1, 2, 2, 2],
      ],
    }),
  ).toEqual(["float32 batch,2,3,4,5"]);
});

test("Conv refuses channels, groups, biases, kernels and images that do not go together", () => {
  expect(() =>
    inferred("Conv", {
      inputs: [
        ["batch", 3, 8, 8],
        [16, 4, 3, 3],
      ],
    }),
  ).toThrow(/^node \(Conv .*3 channels do not go with a weight of \[16, 4, 3, 3\] in 1 group/);
  expect(() =>
    inferred("Conv", {
      inputs: [
        ["batch", 4, 8, 8],
        [3, 2, 3, 3],
      ],
      attributes: { group: 2 },
    }),
  ).toThrow(/3 filters do not divide into 2 groups/);
  expect(() =>
    inferred("Conv", {
      inputs: [
        ["batch", 4, 8, 8],
        [3, 4, 3, 3],
      ],
      attributes: { group: 0 },
    }),
  ).toThrow(/group must be at least 1/);
  expect(() => inferred("Conv", { inputs: [["batch", 3, 8, 8], [16, 3, 3, 3], [15]] })).toThrow(/bias must be \[16\], not \[15\]/);
  expect(() =>
    inferred("Conv", {
      inputs: [
        ["batch", 3, 2, 8],
        [16, 3, 3, 3],
      ],
    }),
  ).toThrow(/does not fit spatial axis 0 of size 2/);
  expect(() =>
    inferred("Conv", {
      inputs: [
        ["batch", 3],
        [16, 3],
      ],
    }),
  ).toThrow(/needs \[batch, channels, ...spatial\]/);
  expect(() =>
    inferred("Conv", {
      inputs: [
        ["batch", 3, 8, 8],
        [16, 3, 3, 3],
      ],
      attributes: { strides: [0, 1] },
    }),
  ).toThrow(/strides \[0, 1\] must be at least 1/);
  expect(() =>
    inferred("Conv", {
      inputs: [
        ["batch", 3, 8, 8],
        [16, 3, 3, 3],
      ],
      attributes: { pads: [1, 1] },
    }),
  ).toThrow(/pads \[1, 1\] must have 4 entries/);
  expect(() =>
    inferred("Conv", {
      inputs: [
        ["batch", 3, 8, 8],
        [16, 3, 3, 3],
      ],
      attributes: { auto_pad: "SAME" },
    }),
  ).toThrow(/auto_pad "SAME" is not/);
  expect(() =>
    inferred("Conv", {
      inputs: [
        [2, 3, "batch", 8],
        [16, 3, 3, 3],
      ],
    }),
  ).toThrow(/a spatial axis cannot be the batch dimension/);
});

// Hand-computed from ONNX's formulas: output = ceil(size / stride), the odd pad at the end for UPPER and at the front for LOWER.
test("auto_pad keeps ceil(size / stride) and puts the odd pad where it says", () => {
  const operator = findOperator("Conv") ?? fail("no Conv");
  const window = (auto: string): ReturnType<typeof slidingWindow> =>
    slidingWindow(readAttributes(operator, "node", { auto_pad: auto, strides: [2] }), { kernel: [4], input: [7], fail });
  expect(window("SAME_UPPER")).toMatchObject({ output: [4], begin: [1], end: [2] });
  expect(window("SAME_LOWER")).toMatchObject({ output: [4], begin: [2], end: [1] });
  expect(window("VALID")).toMatchObject({ output: [2], begin: [0], end: [0] });
});

test("ceil_mode adds a window that reaches over the end but none that starts beyond it", () => {
  const pool = (size: number, attributes: Record<string, number | readonly number[]>): readonly string[] =>
    inferred("MaxPool", { inputs: [["batch", 1, size]], attributes: { kernel_shape: [2], strides: [2], ceil_mode: 1, ...attributes } });
  expect(pool(5, {})).toEqual(["float32 batch,1,3"]);
  expect(pool(5, { ceil_mode: 0 })).toEqual(["float32 batch,1,2"]);
  // Starts at -1, 2, 5 for stride 3 and pad 1: the third lies in the end padding only and is left out (PyTorch agrees).
  expect(pool(5, { strides: [3], pads: [1, 1] })).toEqual(["float32 batch,1,2"]);
});

test("windowCounts leaves out padding unless it counts, and what ceil_mode adds always", () => {
  const window = { input: [5], output: [3], kernel: [3], strides: [2], dilations: [1], begin: [1], end: [0] };
  expect(windowCounts(window, { includePad: false })).toEqual([[2, 3, 2]]);
  expect(windowCounts(window, { includePad: true })).toEqual([[3, 3, 2]]);
});

test("ConvTranspose gives stride (size - 1) + output_padding + reach - pads, or what output_shape asks for", () => {
  const inputs = [
    ["batch", 3, 5, 5],
    [3, 2, 3, 3],
  ] as const;
  expect(inferred("ConvTranspose", { inputs })).toEqual(["float32 batch,2,7,7"]);
  expect(inferred("ConvTranspose", { inputs, attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] } })).toEqual([
    "float32 batch,2,10,10",
  ]);
  expect(inferred("ConvTranspose", { inputs, attributes: { strides: [2, 2], output_shape: [10, 10] } })).toEqual(["float32 batch,2,10,10"]);
  expect(inferred("ConvTranspose", { inputs, attributes: { strides: [2, 2], auto_pad: "SAME_UPPER" } })).toEqual(["float32 batch,2,10,10"]);
  expect(
    inferred("ConvTranspose", {
      inputs: [
        ["batch", 4, 5],
        [4, 3, 2],
      ],
      attributes: { group: 2 },
    }),
  ).toEqual(["float32 batch,6,6"]);
});

test("ConvTranspose refuses output_padding as large as the stride, channels that do not fit and pads that leave nothing", () => {
  const inputs = [
    ["batch", 3, 5, 5],
    [3, 2, 3, 3],
  ] as const;
  expect(() => inferred("ConvTranspose", { inputs, attributes: { output_padding: [1, 0] } })).toThrow(
    /output_padding \[1, 0\] must be smaller than strides/,
  );
  expect(() =>
    inferred("ConvTranspose", {
      inputs: [
        ["batch", 2, 5, 5],
        [3, 2, 3, 3],
      ],
    }),
  ).toThrow(/2 channels do not go with a weight of \[3, 2, 3, 3\]/);
  expect(() => inferred("ConvTranspose", { inputs, attributes: { pads: [4, 0, 4, 0] } })).toThrow(
    /leave nothing of spatial axis 0: its size would be -1/,
  );
});

test("the gradient operators give the shape of what they are gradients of, and refuse a dY of another shape", () => {
  const options = { strides: [2, 2], pads: [1, 1, 1, 1] };
  const dy = ["batch", 4, 4, 4] as const;
  const inputGrad = { ...options, input_spatial: [8, 7] };
  expect(inferred("ConvInputGrad", { inputs: [dy, [4, 3, 3, 3]], attributes: inputGrad })).toEqual(["float32 batch,3,8,7"]);
  expect(inferred("ConvWeightGrad", { inputs: [["batch", 3, 8, 7], dy], attributes: { ...options, kernel_shape: [3, 3] } })).toEqual([
    "float32 4,3,3,3",
  ]);
  expect(() => inferred("ConvInputGrad", { inputs: [dy, [4, 3, 3, 3]], attributes: { ...options, input_spatial: [9, 7] } })).toThrow(
    /dY is \[batch, 4, 4, 4\], but Conv gives \[batch, 4, 5, 4\]/,
  );
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  expect(inferred("MaxPoolGrad", { inputs: [["batch", 4, 8, 9], dy, dy], attributes: pool })).toEqual(["float32 batch,4,8,9"]);
  expect(inferred("AveragePoolGrad", { inputs: [dy], attributes: { ...pool, input_spatial: [9, 8] } })).toEqual(["float32 batch,4,9,8"]);
  expect(() => inferred("AveragePoolGrad", { inputs: [dy], attributes: { ...pool, input_spatial: [10, 8] } })).toThrow(
    /AveragePool gives \[batch, 4, 5, 4\]/,
  );
});

test("the global pools and LpPool give one number a window or a channel, and refuse what has no spatial axis or no norm", () => {
  const x = ["batch", 3, 5, 4] as const;
  for (const operator of ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]) {
    expect(inferred(operator, { inputs: [x] })).toEqual(["float32 batch,3,1,1"]);
    expect(() => inferred(operator, { inputs: [["batch", 3]] })).toThrow(/needs \[batch, channels, \.\.\.spatial\], not rank 2/);
  }
  expect(inferred("LpPool", { inputs: [x], attributes: { kernel_shape: [2, 3] } })).toEqual(["float32 batch,3,4,2"]);
  expect(() => inferred("LpPool", { inputs: [x], attributes: { kernel_shape: [2, 3], p: 0 } })).toThrow(/p must be at least 1, not 0/);
});

test("pools refuse pads that make windows of padding alone, and every window refuses an axis of more than 2^31 - 1 positions", () => {
  const inputs = [["batch", 1, 5, 5]] as const;
  expect(() => inferred("MaxPool", { inputs, attributes: { kernel_shape: [2, 2], pads: [2, 0, 0, 0] } })).toThrow(
    /pads \[2, 0, 0, 0\] must be smaller than the kernel, which reaches over \[2, 2\]/,
  );
  expect(() => inferred("AveragePool", { inputs, attributes: { kernel_shape: [2, 2], pads: [0, 0, 0, 2] } })).toThrow(
    /must be smaller than the kernel/,
  );
  expect(() => inferred("MaxPool", { inputs, attributes: { kernel_shape: [100_000, 100_000] } })).toThrow(/does not fit spatial axis 0 of size 5/);
  const conv = { inputs: [...inputs, [1, 1, 2, 2]] as const, attributes: { pads: [0, 2 ** 40, 0, 0] } };
  expect(() => inferred("Conv", conv)).toThrow(/pads 1099511627776 and 0 make spatial axis 1 longer than 2147483647/);
});
