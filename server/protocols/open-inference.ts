import { parseJson } from "../body.ts";
import { predictionValues } from "../answers.ts";
import type { Predictions } from "../../core/index.ts";
import type { ServedModel } from "../registry.ts";
import { countPredictions } from "../rows.ts";
import { encodeTensor, headerLengthName, splitBody } from "./binary-tensors.ts";
import { describeOpenInference } from "./open-inference-description.ts";
import { inputMetadata, outputMetadata, type TensorMetadata } from "./open-inference-metadata.ts";
import { readInferenceRequest, type InferenceRequest } from "./open-inference-request.ts";
import type { Protocol } from "./protocol.ts";

/**
 * The Open Inference Protocol, version 2, over REST, with the binary tensor extension. A model's inputs are its raw columns.
 *
 * @see https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export const openInference: Protocol = {
  name: "Open Inference Protocol V2",
  describe: describeOpenInference,
  mount: (app, { registry, findModel, readBody, predict }) => {
    app.get("/v2", (c) => c.json({ name: "espalier", version: "2", extensions: ["binary_tensor_data"] }));
    app.get("/v2/health/live", (c) => c.json({ live: true }));
    app.get("/v2/health/ready", (c) => c.json({ ready: registry.ready }, registry.ready ? 200 : 503));
    for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"] as const) {
      app.get(path, (c) => {
        const model = findModel(c, c.req.param("model"), c.req.param("version"));
        const versions = registry.list().flatMap(({ name, version }) => (name === model.name ? [version] : []));
        return c.json({
          name: model.name,
          versions,
          platform: `espalier_${model.backend}`,
          inputs: inputMetadata(model),
          outputs: outputMetadata(model),
        });
      });
      app.get(`${path}/ready`, (c) => c.json({ name: findModel(c, c.req.param("model"), c.req.param("version")).name, ready: true }));
      app.post(`${path}/infer`, async (c) => {
        const model = findModel(c, c.req.param("model"), c.req.param("version"));
        const { json, raw } = splitBody(await readBody(c), c.req.header(headerLengthName));
        const outputs = outputMetadata(model);
        const request = readInferenceRequest(parseJson(json), model.manifest, { raw, outputNames: outputs.map(({ name }) => name) });
        return answer(model, request, await predict(c, model, request.rows));
      });
    }
  },
};

function answer(model: ServedModel, { id, outputs, binary }: InferenceRequest, predictions: Predictions): Response {
  const metadata = outputMetadata(model);
  const wanted = outputs ?? metadata.map(({ name }) => ({ name, binary }));
  const raw: Uint8Array<ArrayBuffer>[] = [];
  const tensors: OutputTensor[] = [];
  for (const output of wanted) {
    const tensor = metadata.find(({ name }) => name === output.name);
    if (tensor === undefined) continue; // names were checked when the request was read
    const data = outputData(tensor, model, predictions);
    const envelope = { name: tensor.name, datatype: tensor.datatype, shape: [countPredictions(predictions), ...tensor.shape.slice(1)] };
    if (output.binary) {
      const bytes = encodeTensor(data, tensor.datatype);
      raw.push(bytes);
      tensors.push({ ...envelope, parameters: { binary_data_size: bytes.length } });
    } else tensors.push({ ...envelope, data });
  }
  const json = JSON.stringify({ model_name: model.name, model_version: model.version, id, outputs: tensors });
  if (raw.length === 0) return new Response(json, { headers: { "content-type": "application/json" } });
  const header = new TextEncoder().encode(json);
  return new Response(new Blob([header, ...raw]), {
    headers: { "content-type": "application/octet-stream", [headerLengthName]: String(header.length) },
  });
}

/** One tensor of an answer: its data here, or its size among the raw bytes after the JSON. */
type OutputTensor = { readonly name: string; readonly datatype: string; readonly shape: readonly number[] } & (
  | { readonly data: readonly (number | string)[] }
  | { readonly parameters: { readonly binary_data_size: number } }
);

function outputData({ name }: TensorMetadata, { manifest }: ServedModel, predictions: Predictions): readonly (number | string)[] {
  return name === "probabilities" && predictions.task === "classification"
    ? Array.from(predictions.probabilities)
    : predictionValues(predictions, manifest.target);
}
