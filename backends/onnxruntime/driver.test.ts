import { expect, test } from "vitest";
import { GraphBuilder, tensor } from "../../core/index.ts";
import { onnxRuntimeDriver } from "./driver.ts";
import { loadRuntime } from "./runtime.ts";

test("the driver finds the installed package, and what it opens computes", async () => {
  expect(await onnxRuntimeDriver.probe()).toMatchObject({ available: true, software: false });
  const backend = await onnxRuntimeDriver.open();
  const b = new GraphBuilder("double");
  const x = b.input("x", "float32", ["batch"]);
  b.output("y", b.op("Add", [x, x]));
  const executable = await backend.compile(b.build());
  expect(await executable.run({ x: tensor("float32", [2], [1, 2]) })).toEqual({ y: tensor("float32", [2], [2, 4]) });
  await backend.dispose();
});

test("without the package the error says what to install", async () => {
  const absent = Object.assign(new Error("Cannot find package 'onnxruntime-node'"), { code: "ERR_MODULE_NOT_FOUND" });
  await expect(loadRuntime(() => Promise.reject(absent))).rejects.toMatchObject({
    code: "BACKEND_UNAVAILABLE",
    message: expect.stringContaining("npm install onnxruntime-node"),
  });
});

test("a package that is there but does not load is told from one that is absent", async () => {
  await expect(loadRuntime(() => Promise.reject(new Error("wrong ELF class")))).rejects.toMatchObject({
    code: "BACKEND_UNAVAILABLE",
    message: expect.stringContaining("does not load here: wrong ELF class"),
  });
});
