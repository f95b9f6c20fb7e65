import { describe, expect, it } from "vitest";
import { createModelRegistry } from "./registry.ts";
import { createScriptedPredictor } from "./testing/scripted-predictor.ts";

describe("createModelRegistry", () => {
  it("finds the version added last when none is named", () => {
    const registry = createModelRegistry();
    registry.add(createScriptedPredictor({ version: "1111111111111111" }));
    registry.add(createScriptedPredictor({ version: "2222222222222222" }));
    expect(registry.find("shapes").version).toBe("2222222222222222");
    expect(registry.find("shapes", "1111111111111111").version).toBe("1111111111111111");
  });

  it("names the models and versions that it has when it is asked for another", () => {
    const registry = createModelRegistry();
    expect(() => registry.find("iris")).toThrow('no model "iris"; this server has no models');
    registry.add(createScriptedPredictor());
    expect(() => registry.find("iris")).toThrow('no model "iris"; this server has "shapes"');
    expect(() => registry.find("shapes", "9")).toThrow('model "shapes" has no version "9", only 0123456789abcdef');
  });

  it("refuses a version that is served already", () => {
    const registry = createModelRegistry();
    registry.add(createScriptedPredictor());
    expect(() => registry.add(createScriptedPredictor())).toThrow("is served already");
  });

  it("is ready when there is a model and none is being loaded", () => {
    const registry = createModelRegistry();
    expect(registry.ready).toBe(false);
    registry.announce("shapes");
    expect(() => registry.find("shapes")).toThrow("still being loaded");
    registry.add(createScriptedPredictor());
    expect(registry.ready).toBe(true);
  });

  it("disposes its predictors once, after what runs", async () => {
    const order: string[] = [];
    const predictor = createScriptedPredictor({
      beforeRun: async () => {
        await Promise.resolve();
        order.push(predictor.disposed ? "ran too late" : "ran");
      },
    });
    const registry = createModelRegistry();
    const model = registry.add(predictor);
    const number = { kind: "number", values: Float64Array.of(1) } as const;
    const pending = model.batcher.predict({ length: 1, columns: new Map([["width", number]]) });
    await registry.dispose();
    await pending;
    expect(order).toEqual(["ran"]);
    expect(predictor.disposed).toBe(true);
    expect(registry.list()).toEqual([]);
  });
});
