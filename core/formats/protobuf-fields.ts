import { EspalierError } from "../errors.ts";
import { readInts, readProtobuf, type ProtobufField } from "./protobuf.ts";

/** Fields of one message; the largest real graphs have some 100,000. Each takes many times its bytes in memory, which a hostile file could use. */
const maxFields = 2 ** 22;

/** One message's fields by number, read once. Where a single field stands several times, the last one counts, as protobuf says. */
export class MessageFields {
  readonly #fields = new Map<number, ProtobufField[]>();

  /** @throws DATA_MALFORMED when the bytes are no message */
  constructor(message: Uint8Array | ProtobufField) {
    for (const field of fieldsOf(message)) {
      const same = this.#fields.get(field.field);
      if (same === undefined) this.#fields.set(field.field, [field]);
      else same.push(field);
    }
  }

  all(number: number): readonly ProtobufField[] {
    return this.#fields.get(number) ?? [];
  }

  last(number: number): ProtobufField | undefined {
    return this.all(number).at(-1);
  }

  message(number: number): MessageFields | undefined {
    const field = this.last(number);
    return field && new MessageFields(field);
  }

  /** The text of a field; empty when it is absent. */
  text(number: number): string {
    const field = this.last(number);
    return field === undefined ? "" : textOf(field);
  }

  texts(number: number): readonly string[] {
    return this.all(number).map(textOf);
  }

  int(number: number): number | undefined {
    const field = this.last(number);
    return field && (readInts(field).at(-1) ?? malformed(`field ${number} is empty`));
  }
}

/** The fields of a message in their order. */
export function fieldsOf(message: Uint8Array | ProtobufField): readonly ProtobufField[] {
  const fields: ProtobufField[] = [];
  for (const field of readProtobuf(message instanceof Uint8Array ? message : bytesOf(message))) {
    if (fields.length === maxFields) malformed(`a message has more than ${maxFields} fields`);
    fields.push(field);
  }
  return fields;
}

/** A field's bytes: a view. */
export function bytesOf(field: ProtobufField): Uint8Array {
  return field.wire === "bytes" ? field.value : malformed(`field ${field.field} should hold bytes`);
}

/** A field's text. @throws DATA_MALFORMED when it is not UTF-8 */
export function textOf(field: ProtobufField): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(field));
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause;
    throw new EspalierError("DATA_MALFORMED", `not an ONNX model: field ${field.field} is not UTF-8 text`, { field: field.field }, { cause });
  }
}

export function malformed(message: string): never {
  throw new EspalierError("DATA_MALFORMED", `not an ONNX model: ${message}`);
}
