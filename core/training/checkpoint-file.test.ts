import { expect, test } from "vitest";
import { encodeSafetensors } from "../bundle/safetensors.ts";
import { sha256Hex } from "../sha256.ts";
import { tensor } from "../tensor.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-file.ts";
import type { Checkpoint } from "./checkpoint.ts";

const checkpoint: Checkpoint = {
  graphHash: "ab".repeat(32),
  seed: 7,
  step: 12,
  updates: 12,
  pending: { batches: 0, weight: 0 },
  epoch: 3,
  position: { kind: "shuffle", epoch: 2, source: { position: 96 } },
  progress: { loss: 1 / 3, terms: {}, weight: 96, rows: 96, batches: 3, learningRate: 1e-3 },
  history: [{ epoch: 1, step: 4, rows: 128, loss: 0.1 + 0.2, learningRate: 1e-3, validation: { loss: 5e-324 } }],
  state: { "dense/kernel": tensor("float32", [2, 2], [1, -0, 3.5, 1e-45]), "adam/v/dense/kernel": tensor("float32", [2, 2], [0, 0, 0, 1]) },
  best: { epoch: 2, value: 0.25, state: { "dense/kernel": tensor("float32", [2, 2], [4, 3, 2, 1]) } },
  callbacks: {},
};

test("a checkpoint comes back from its bytes exactly", () => {
  expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
  const sized: Checkpoint = { ...checkpoint, batchSize: 64 };
  expect(decodeCheckpoint(encodeCheckpoint(sized))).toEqual(sized);
  expect(() => decodeCheckpoint(encodeCheckpoint({ ...checkpoint, batchSize: 0 }))).toThrow("fields are not those of a checkpoint");
  const young: Checkpoint = { ...checkpoint, position: undefined, best: undefined, history: [] };
  expect(decodeCheckpoint(encodeCheckpoint(young))).toEqual(young);
});

test("no flipped byte and no cut goes unnoticed", () => {
  const bytes = encodeCheckpoint(checkpoint);
  const refusal = (file: Uint8Array): unknown => {
    try {
      return decodeCheckpoint(file, "last.safetensors");
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice();
    changed[i]! ^= 1;
    const outcome = refusal(changed);
    // Padding after the JSON header means nothing and is the one place where a change could be accepted: then all must be as it was.
    if (outcome !== "CHECKPOINT_INVALID") expect(outcome, `byte ${i}`).toEqual(checkpoint);
  }
  for (let length = 0; length < bytes.length; length += 7) expect(refusal(bytes.subarray(0, length)), `${length} bytes`).toBe("CHECKPOINT_INVALID");
});

test("a message names the file and what is wrong with it", () => {
  const bytes = encodeCheckpoint(checkpoint);
  bytes[bytes.length - 1]! ^= 0x10;
  expect(() => decodeCheckpoint(bytes, "runs/1/last.safetensors")).toThrow(
    /^runs\/1\/last.safetensors was changed after it was written: its SHA-256 is/,
  );
  const weights = encodeSafetensors({ w: tensor("float32", [1], [1]) });
  expect(() => decodeCheckpoint(weights, "w.safetensors")).toThrow("w.safetensors is a safetensors file, but not a checkpoint of Espalier");
  const newer = encodeSafetensors({}, { format: "espalier-checkpoint", version: "3" });
  expect(() => decodeCheckpoint(newer, "c")).toThrow("c has format version 3; this release reads 2");
});

test.each(["", "null", "[]", "7", "{", '{"graphHash":"00"}', '{"graphHash":"00","seed":0,"step":0,"epoch":1,"progress":null,"history":[]}'])(
  "a header %j is refused, though its digest is right",
  (header) => {
    const sha256 = sha256Hex(new TextEncoder().encode(header)); // there are no tensors
    const file = encodeSafetensors({}, { format: "espalier-checkpoint", version: "2", checkpoint: header, sha256 });
    expect(() => decodeCheckpoint(file, "c")).toThrow(expect.objectContaining({ code: "CHECKPOINT_INVALID" }));
  },
);

test("null in the place of an optional field is refused", () => {
  const { state: _state, best: _best, ...rest } = checkpoint;
  for (const change of [
    { position: null },
    { best: null },
    { best: {} },
    { history: {} },
    { step: -1 },
    { epoch: 0 },
    { progress: { ...rest.progress, loss: null } },
  ]) {
    const header = JSON.stringify({ ...rest, ...change });
    const file = encodeSafetensors(
      {},
      { format: "espalier-checkpoint", version: "2", checkpoint: header, sha256: sha256Hex(new TextEncoder().encode(header)) },
    );
    expect(() => decodeCheckpoint(file, "c")).toThrow(expect.objectContaining({ code: "CHECKPOINT_INVALID" }));
  }
});

test("no field of a header may hold what it does not hold by itself, though the digest is right", () => {
  const { state: _state, best, ...rest } = checkpoint;
  const whole = { ...rest, best: { epoch: best!.epoch, value: best!.value } };
  const wrong = [null, true, "7", -1, 1.5, [null], { a: null }, { $number: "NaN" }];
  const sealed = (header: string): Uint8Array =>
    encodeSafetensors({}, { format: "espalier-checkpoint", version: "2", checkpoint: header, sha256: sha256Hex(new TextEncoder().encode(header)) });
  expect(() => decodeCheckpoint(sealed(JSON.stringify(whole)), "c")).not.toThrow();
  const paths = [
    "seed",
    "step",
    "updates",
    "epoch",
    "pending",
    "progress",
    "progress.rows",
    "progress.batches",
    "callbacks",
    "pending.batches",
    "history.0.rows",
  ];
  for (const path of paths) {
    for (const value of wrong) {
      const copy = JSON.parse(JSON.stringify(whole)) as Record<string, unknown>; // an object of the header's own
      const keys = path.split(".");
      const last = keys.pop()!;
      const holder = keys.reduce<Record<string, unknown>>((object, key) => object[key] as Record<string, unknown>, copy); // paths that exist
      holder[last] = value;
      const refusal = expect.objectContaining({ code: "CHECKPOINT_INVALID", details: { source: `${path} = ${JSON.stringify(value)}` } });
      expect(() => decodeCheckpoint(sealed(JSON.stringify(copy)), `${path} = ${JSON.stringify(value)}`)).toThrow(refusal);
    }
  }
});
