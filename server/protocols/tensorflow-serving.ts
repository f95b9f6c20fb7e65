import { EspalierError, type Predictions } from "../../core/index.ts";
import { forecastRows, predictionValues, rowProbabilities } from "../answers.ts";
import { parseJson } from "../body.ts";
import type { ServedModel } from "../registry.ts";
import type { Protocol, ProtocolContext, ServerRequest } from "./protocol.ts";
import { describeTensorflowServing } from "./tensorflow-serving-description.ts";
import { signatureDefinition } from "./tensorflow-serving-metadata.ts";
import { readPredictRequest, type PredictRequest } from "./tensorflow-serving-request.ts";

/**
 * TensorFlow Serving's REST API, version 1; Vertex AI's prediction routes have the same shape.
 *
 * @see https://www.tensorflow.org/tfx/serving/api_rest
 */
export const tensorflowServing: Protocol = {
  name: "TensorFlow Serving V1",
  describe: describeTensorflowServing,
  mount: (app, context) => {
    for (const path of ["/v1/models/:model", "/v1/models/:model/versions/:version"] as const) {
      app.get(path, (c) => {
        const { version } = context.findModel(c, c.req.param("model"), c.req.param("version"));
        return c.json({ model_version_status: [{ version, state: "AVAILABLE", status: { error_code: "OK", error_message: "" } }] });
      });
      app.get(`${path}/metadata`, (c) => {
        const model = context.findModel(c, c.req.param("model"), c.req.param("version"));
        return c.json({
          model_spec: { name: model.name, signature_name: "", version: model.version },
          metadata: { signature_def: { signature_def: signatureDefinition(model) } },
        });
      });
    }
    // The verb stands behind the last segment, which is the model's name or its version.
    app.post("/v1/models/:target", async (c) => {
      const [name, verb] = splitVerb(c.req.param("target"));
      return await predict(c, context, { name, verb });
    });
    app.post("/v1/models/:model/versions/:target", async (c) => {
      const [version, verb] = splitVerb(c.req.param("target"));
      return await predict(c, context, { name: c.req.param("model"), version, verb });
    });
  },
};

async function predict(c: ServerRequest, context: ProtocolContext, asked: { name: string; version?: string; verb: string }): Promise<Response> {
  const model = context.findModel(c, asked.name, asked.version);
  if (asked.verb !== "predict") {
    const found = asked.verb === "" ? "no verb" : `":${asked.verb}"`;
    throw new EspalierError("REQUEST_INVALID", `the address must end in ":predict", not in ${found}`, { verb: asked.verb });
  }
  const { form, rows } = readPredictRequest(parseJson(await context.readBody(c)), model.manifest);
  return c.json(answer(form, model, await context.predict(c, model, rows)));
}

/**
 * In row form one object a row, whose probabilities are named by class, for people; in column form one list an output, as tensors. A
 * model with one output (regression) answers plain values, as TensorFlow Serving does.
 */
function answer(form: PredictRequest["form"], { manifest }: ServedModel, predictions: Predictions): object {
  const values = predictionValues(predictions, manifest.target);
  if (predictions.task === "regression") {
    const answers = predictions.horizon === undefined ? values : forecastRows(predictions);
    return form === "row" ? { predictions: answers } : { outputs: answers };
  }
  if (form === "column") return { outputs: { prediction: values, probabilities: values.map((_, row) => rowProbabilities(predictions, row)) } };
  return {
    predictions: values.map((prediction, row) => {
      const probabilities = rowProbabilities(predictions, row);
      return { prediction, probabilities: Object.fromEntries(predictions.classes.map((name, i) => [name, probabilities[i]])) };
    }),
  };
}

function splitVerb(target: string): [name: string, verb: string] {
  const colon = target.lastIndexOf(":");
  return colon < 0 ? [target, ""] : [target.slice(0, colon), target.slice(colon + 1)];
}
