import { f32, weight, type OperatorSpec } from "../operator-spec.ts";

/** Products of matrices. */
export const linearSpecs: readonly OperatorSpec[] = [
  { operator: "MatMul", about: "[batch, 5] x [5, 3]", inputs: [f32(["batch", 5]), weight([5, 3])] },
  { operator: "MatMul", about: "odd sizes, 67 x 33", inputs: [f32(["batch", 67]), weight([67, 33])] },
  { operator: "MatMul", about: "one column", inputs: [f32(["batch", 5]), weight([5, 1])] },
  { operator: "MatMul", about: "one inner element", inputs: [f32(["batch", 1]), weight([1, 4])] },
  { operator: "MatMul", about: "a batch of matrices on both sides", inputs: [f32(["batch", 4, 5]), f32(["batch", 5, 3])] },
  { operator: "MatMul", about: "a batch of matrices times one", inputs: [f32(["batch", 4, 5]), weight([5, 3])] },
  { operator: "MatMul", about: "broadcast leading axes", inputs: [f32(["batch", 1, 2, 3]), weight([2, 3, 4])] },
  { operator: "MatMul", about: "a vector on the right", inputs: [f32(["batch", 5]), weight([5])] },
  { operator: "MatMul", about: "a vector on the left", inputs: [weight([4]), f32(["batch", 4, 3])] },
  { operator: "MatMul", about: "two vectors", inputs: [f32([6]), f32([6])] },
  { operator: "Gemm", about: "x w + b", inputs: [f32(["batch", 5]), weight([5, 3]), weight([3])] },
  { operator: "Gemm", about: "without a bias", inputs: [f32(["batch", 5]), weight([5, 3])] },
  { operator: "Gemm", about: "x w^T + b, odd sizes", inputs: [f32(["batch", 33]), weight([17, 33]), weight([17])], attributes: { transB: 1 } },
  { operator: "Gemm", about: "both transposed", inputs: [weight([5, 4]), weight([3, 5])], attributes: { transA: 1, transB: 1 } },
  { operator: "Gemm", about: "the batch as the inner axis", inputs: [f32(["batch", 4]), f32(["batch", 3])], attributes: { transA: 1 } },
  {
    operator: "Gemm",
    about: "alpha, beta and a full matrix",
    inputs: [f32(["batch", 4]), weight([4, 3]), f32(["batch", 3])],
    attributes: { alpha: 0.5, beta: -2 },
  },
  { operator: "Gemm", about: "a scalar to add", inputs: [f32(["batch", 4]), weight([4, 3]), weight([])], attributes: { beta: 3 } },
  { operator: "Gemm", about: "a column to add", inputs: [f32(["batch", 4]), weight([4, 3]), f32(["batch", 1])] },
  { operator: "Gemm", about: "784 x 64", inputs: [f32(["batch", 784]), weight([784, 64]), weight([64])], tolerance: 5e-5 },
];
