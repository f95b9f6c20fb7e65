import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { InputField } from "../../core/index.ts";
import type { ModelCard, Row } from "./served-model.ts";

/** Choices up to so many are a menu; more are suggestions while typing. */
const maxMenu = 30;

/** A field for every column of the model, filled with the bundle's example; the row is asked about as it is typed. */
export function RowForm({ card, row }: { readonly card: ModelCard; readonly row: Signal<Row | undefined> }): JSX.Element {
  const texts = useSignal<Readonly<Record<string, string>>>(
    Object.fromEntries(card.inputs.map((field) => [field.name, textOf(card.example[field.name])])),
  );
  const missing = card.inputs.filter(({ name, optional }) => !optional && (texts.value[name] ?? "") === "").map(({ name }) => name);
  useEffect(() => {
    row.value = missing.length > 0 ? undefined : readRow(card.inputs, texts.value);
  }, [texts.value]);
  return (
    <form class="fields" onSubmit={(event) => event.preventDefault()}>
      {card.inputs.map((field) => (
        <Field
          key={field.name}
          field={field}
          text={texts.value[field.name] ?? ""}
          onText={(text) => (texts.value = { ...texts.value, [field.name]: text })}
        />
      ))}
      {missing.length > 0 && <p class="wide error">Fill in {missing.join(", ")}.</p>}
    </form>
  );
}

interface FieldProps {
  readonly field: InputField;
  readonly text: string;
  readonly onText: (text: string) => void;
}

function Field({ field, text, onText }: FieldProps): JSX.Element {
  return (
    <label class={field.kind === "tensor" ? "wide" : ""}>
      <span>
        {field.name} <small>{hintOf(field)}</small>
      </span>
      <Control field={field} text={text} onText={onText} />
    </label>
  );
}

function Control({ field, text, onText }: FieldProps): JSX.Element {
  const { kind, name, categories = [], optional } = field;
  if (kind === "tensor") return <textarea value={text} spellcheck={false} onInput={(event) => onText(event.currentTarget.value)} />;
  if (kind === "number") {
    return <input type="number" step="any" required={!optional} value={text} onInput={(event) => onText(event.currentTarget.value)} />;
  }
  if (categories.length > 0 && categories.length <= maxMenu) {
    return (
      <select value={text} onChange={(event) => onText(event.currentTarget.value)}>
        {(optional || text === "") && <option value="">{optional ? "(left out)" : ""}</option>}
        {categories.map((category) => (
          <option key={category} value={category}>
            {category}
          </option>
        ))}
      </select>
    );
  }
  const list = `values-of-${name}`;
  return (
    <>
      <input value={text} list={list} onInput={(event) => onText(event.currentTarget.value)} />
      <datalist id={list}>
        {categories.slice(0, 200).map((category) => (
          <option key={category} value={category} />
        ))}
      </datalist>
    </>
  );
}

function hintOf({ kind, shape, range, optional }: InputField): string {
  const about = kind === "tensor" ? `[${shape.join(", ")}]` : range === undefined ? "" : `${short(range[0])} to ${short(range[1])}`;
  return [about, optional ? "may be left out" : ""].filter((part) => part !== "").join(", ");
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What the form says; fields that are empty are left out. */
function readRow(fields: readonly InputField[], texts: Readonly<Record<string, string>>): Row {
  return Object.fromEntries(
    fields.flatMap(({ name, kind }): [string, unknown][] => {
      const text = texts[name] ?? "";
      if (text === "") return [];
      if (kind === "number") return [[name, Number(text)]];
      return [[name, kind === "tensor" ? parsed(text) : text]];
    }),
  );
}

/** Half-typed JSON is sent as text: the server names what is wrong with it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
