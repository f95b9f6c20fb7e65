import { expect, test } from "vitest";
import { Arena } from "../arena.ts";
import { loadOrtLibrary } from "../native/ort-library.ts";
import { compileKernels, type KernelCall } from "./compile.ts";
import { planBatchNormalization } from "./batch-normalization.ts";
import { planSoftmaxGrad } from "./softmax-grad.ts";

/** A development dependency; absent where optional packages were left out. */
const library = await loadOrtLibrary();

test.skipIf(library === undefined)("a kernel that would write more or less than its outputs hold is refused before it runs", async () => {
  const [softmax, normalization] = [
    planSoftmaxGrad([{ dtype: "float32", shape: [3, 8] }]),
    planBatchNormalization({ dtype: "float32", shape: [2, 3, 4, 4] }, { epsilon: 1e-5 }),
  ];
  if (library === undefined || softmax === undefined || normalization === undefined) throw new Error("both take these shapes");
  const compile = (call: KernelCall): ReturnType<typeof compileKernels> => compileKernels([call], { arena: new Arena(), library });
  await expect(compile({ plan: softmax, outputs: [[3, 4]] })).rejects.toThrow("a kernel (softmax gradient 8) writes 24 numbers to outputs of [3, 4]");
  await expect(compile({ plan: softmax, outputs: [[3, 8], [8]] })).rejects.toMatchObject({ code: "INTERNAL" });
  await expect(compile({ plan: normalization, outputs: [[2, 3, 4, 5]] })).rejects.toMatchObject({ code: "INTERNAL" });
  (await compile({ plan: softmax, outputs: [[24]] }))?.release(); // how they are arranged is the graph's business
});
