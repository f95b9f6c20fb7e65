import type { TestProject } from "vitest/node";
import { trainServedModel } from "../support/served-model.ts";
import type { ServedModel } from "./served-model.ts";

/** Trains the model that the worker serves: workerd has no files. */
export async function setup(project: TestProject): Promise<void> {
  const model: ServedModel = await trainServedModel();
  project.provide("servedModel", JSON.stringify(model));
}
