import { elementCount } from "../../../core/index.ts";
import { stridesOf, take } from "../indices.ts";
import {
  intsOf,
  memoryFor,
  numbersOf,
  positiveAxis,
  required,
  scalarOf,
  tensorOf,
  type KernelFactory,
  type NumericDType,
  type NumericTensor,
} from "../kernel.ts";

/** Operators that place elements, or make them, by a rule for their coordinates. */
export const arrangementKernels: Readonly<Record<string, KernelFactory>> = {
  Tile: () => (inputs) => {
    const x = required(inputs, 0);
    const repeats = intsOf(required(inputs, 1));
    return [
      rearranged(
        x,
        x.shape.map((size, axis) => size * repeats[axis]!),
        (at) => at.map((place, axis) => place % x.shape[axis]!),
      ),
    ];
  },

  /** @see https://onnx.ai/onnx/operators/onnx__DepthToSpace.html */
  DepthToSpace: ({ attributes, outputTypes }) => {
    const b = attributes.int("blocksize");
    const blocksFirst = attributes.string("mode") === "DCR";
    return (inputs) => {
      const x = required(inputs, 0);
      const [n, , h, w] = x.shape as [number, number, number, number]; // the shape rule asks for four axes
      const channels = Number(outputTypes[0]!.shape[1]);
      return [
        rearranged(x, [n, channels, h * b, w * b], ([image = 0, c = 0, y = 0, z = 0]) => {
          const block = (y % b) * b + (z % b);
          return [image, blocksFirst ? block * channels + c : c * b * b + block, Math.floor(y / b), Math.floor(z / b)];
        }),
      ];
    };
  },

  SpaceToDepth: ({ attributes }) => {
    const b = attributes.int("blocksize");
    return (inputs) => {
      const x = required(inputs, 0);
      const [n, channels, h, w] = x.shape as [number, number, number, number]; // the shape rule asks for four axes
      return [
        rearranged(x, [n, channels * b * b, h / b, w / b], ([image = 0, c = 0, y = 0, z = 0]) => {
          const block = Math.floor(c / channels);
          return [image, c % channels, y * b + Math.floor(block / b), z * b + (block % b)];
        }),
      ];
    };
  },

  /** @see https://onnx.ai/onnx/operators/onnx__ReverseSequence.html */
  ReverseSequence: ({ attributes, fail }) => {
    return (inputs) => {
      const x = required(inputs, 0);
      const lengths = intsOf(required(inputs, 1));
      const batch = positiveAxis(attributes.int("batch_axis"), x.shape.length);
      const time = positiveAxis(attributes.int("time_axis"), x.shape.length);
      const wrong = lengths.find((length) => length < 0 || length > x.shape[time]!);
      if (wrong !== undefined) fail(`a sequence length is ${wrong}; it must be from 0 to ${x.shape[time]}`);
      return [
        rearranged(x, x.shape, (at) => {
          const length = lengths[at[batch]!]!;
          return at[time]! < length ? at.with(time, length - 1 - at[time]!) : at;
        }),
      ];
    };
  },

  Trilu: ({ attributes }) => {
    const upper = attributes.int("upper") === 1;
    return (inputs) => {
      const x = required(inputs, 0);
      const k = inputs[1] === undefined ? 0 : scalarOf(inputs[1]);
      const source = numbersOf(x);
      return [
        made(x.dtype, x.shape, (at, i) => {
          const [row = 0, column = 0] = at.slice(-2);
          return (upper ? column >= row + k : column <= row + k) ? source[i]! : 0;
        }),
      ];
    };
  },

  EyeLike: ({ attributes, outputTypes }) => {
    const dtype = outputTypes[0]!.dtype as NumericDType; // strings are refused by the shape rule
    return (inputs) => [made(dtype, required(inputs, 0).shape, ([row = 0, column = 0]) => Number(column === row + attributes.int("k")))];
  },

  /** @see https://onnx.ai/onnx/operators/onnx__OneHot.html */
  OneHot: ({ attributes, outputTypes }) => {
    return (inputs) => {
      const [indices, values] = [required(inputs, 0), required(inputs, 2)];
      const [off, on] = numbersOf(values);
      const axis = positiveAxis(attributes.int("axis"), indices.shape.length + 1);
      const depth = Number(outputTypes[0]!.shape[axis]);
      const chosen = numbersOf(indices);
      const strides = stridesOf(indices.shape);
      return [
        made(values.dtype, indices.shape.toSpliced(axis, 0, depth), (at) => {
          const index = Math.trunc(chosen[dot(at.toSpliced(axis, 1), strides)]!);
          return (index < 0 ? index + depth : index) === at[axis] ? on! : off!;
        }),
      ];
    };
  },

  Range: ({ outputTypes }) => {
    const dtype = outputTypes[0]!.dtype as NumericDType; // strings are refused by the shape rule
    return (inputs) => {
      const [start, limit, delta] = [scalarOf(required(inputs, 0)), scalarOf(required(inputs, 1)), scalarOf(required(inputs, 2))];
      const count = Math.max(0, Math.ceil((limit - start) / delta));
      return [made(dtype, [count], ([i = 0]) => start + i * delta)];
    };
  },

  Size: () => (inputs) => [tensorOf("int64", [], Float64Array.of(elementCount(required(inputs, 0).shape)))],
};

/** Each element of the result taken from the place in x that a rule gives for its coordinates. */
export function rearranged(x: NumericTensor, shape: readonly number[], source: (at: readonly number[]) => readonly number[]): NumericTensor {
  const strides = stridesOf(x.shape);
  const places = Int32Array.from({ length: elementCount(shape) }, (_, i) => dot(source(coordinates(i, shape)), strides));
  return take(x, shape, places);
}

/** Each element computed from its coordinates and its position. */
export function made(dtype: NumericDType, shape: readonly number[], compute: (at: readonly number[], position: number) => number): NumericTensor {
  const out = memoryFor(dtype, elementCount(shape));
  for (let i = 0; i < out.length; i += 1) out[i] = compute(coordinates(i, shape), i);
  return tensorOf(dtype, shape, out);
}

function coordinates(position: number, shape: readonly number[]): readonly number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(position / stride) % shape[axis]!);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
