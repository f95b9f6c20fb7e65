import type { RequestSuiteFixture } from "../../server/testing/requests.ts";
import type { ServedModel } from "../edge/served-model.ts";

/** A trained model as the request suite takes it, whatever serves it. */
export function servedFixture(model: ServedModel, server: Pick<RequestSuiteFixture, "fetch" | "maxBodyBytes">): RequestSuiteFixture {
  const { target } = model.manifest;
  return {
    ...server,
    manifest: model.manifest,
    rows: model.rows,
    expected: {
      task: "classification",
      classes: target.task === "classification" ? target.classes : [],
      labels: Int32Array.from(model.labels),
      probabilities: Float32Array.from(model.probabilities),
    },
  };
}
