import type { FunctionSource } from "../wasm/module.ts";
import { masked, type Bounds } from "./bounds.ts";
import { partBytes, type KernelPlan, type KernelType } from "./host-kernel.ts";

/** What the gradient of an activation is made of. */
export interface ActivationGradParts {
  readonly bounds: Bounds;
  /** Whether dY is the sum of two inputs. */
  readonly isSum: boolean;
}

/** Elements from which the passes that it saves are more than a call's microseconds: Add, Greater, Cast and Mul took [32, 256, 8, 8] 1.1 ms and this 0.7. */
const fewestElements = 2 ** 18;

/** dY, or the two parts that it is the sum of, and what the activation gave or took, to dX: in one pass where single operators take three or four. */
export function planActivationGrad([dy]: readonly KernelType[], parts: ActivationGradParts): KernelPlan | undefined {
  const size = dy?.shape.reduce((a, b) => a * b, 1) ?? 0;
  if (dy?.dtype !== "float32" || size < fewestElements || size % 4 > 0) return undefined;
  const source = gradientFunction(parts);
  return {
    functions: [source],
    writes: [size],
    scratchBytes: 4 * partBytes,
    phases: [
      ({ functions, scratch, read, target, write, share }, inputs, [to = 0n]) => {
        for (let part = share.index; part * partBytes < size * 4; part += share.count) {
          const place = { offset: part * partBytes, bytes: Math.min(partBytes, size * 4 - part * partBytes) };
          const [first = 0, second = 0, third = 0] = inputs.map((input, i) => read(scratch + i * partBytes, input, place));
          const dx = target(scratch + 3 * partBytes, to, place);
          functions[source.name]?.(first, second, third, dx, place.bytes);
          write(to, dx, place);
        }
      },
    ],
  };
}

/** (dY, the other part of dY or the value, the value then, dX, bytes) */
function gradientFunction({ bounds, isSum }: ActivationGradParts): FunctionSource {
  return {
    name: `activation gradient ${isSum} ${JSON.stringify(bounds)}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [first, second, third, dx, bytes] = code.take(5);
      const mask = masked(code, bounds);
      code.loop({ end: bytes, step: 16 }, (at) => {
        const one = code.load(code.int("add", first, at));
        const other = code.load(code.int("add", second, at));
        const gradient = isSum ? code.vector("add", [one, other]) : one;
        code.store(
          code.int("add", dx, at),
          0,
          mask(gradient, () => (isSum ? code.load(code.int("add", third, at)) : other)),
        );
      });
    },
  };
}
