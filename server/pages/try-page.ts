import { html } from "hono/html";
import type { InputField } from "../../core/index.ts";
import type { ServedModel } from "../registry.ts";
import { page, type Html } from "./page.ts";

/** A form for every model, filled with its example: the page at `/` where the drawn one was not built. */
export async function tryPage(models: readonly ServedModel[]): Promise<Html> {
  const content = html`<h1>Espalier</h1>
    <nav><a href="/docs">Docs</a><a href="/openapi.json">openapi.json</a><a href="/metrics">Metrics</a></nav>
    ${models.length === 0 ? html`<p>No model is served.</p>` : models.map(modelForm)}`;
  return await page("Espalier", content, { script });
}

function modelForm({ name, version, backend, manifest }: ServedModel): Html | Promise<Html> {
  const figures = Object.entries(manifest.metrics).map(([metric, value]) => `${metric} ${Number(value.toPrecision(4))}`);
  return html`<h2>${name}</h2>
    <p>
      <small
        >Predicts "${manifest.target.column}" · version ${version} · on ${backend} · ${figures.join(", ")} ·
        <a href="/models/${name}/card">card</a></small
      >
    </p>
    <form data-path="/v1/models/${name}/versions/${version}:predict">
      <div class="fields">${manifest.inputs.map((field) => fieldInput(field, manifest.example[field.name]))}</div>
      <button>Predict</button>
      <pre hidden></pre>
    </form>`;
}

function fieldInput(field: InputField, value: unknown): Html | Promise<Html> {
  const { name, kind, optional, categories, range } = field;
  const required = optional ? "" : "required";
  if (kind === "tensor") {
    return html`<label style="grid-column: 1 / -1"
      >${name} <small>[${field.shape.join(", ")}]</small> <textarea name="${name}" data-kind="tensor">${JSON.stringify(value)}</textarea>
    </label>`;
  }
  if (kind === "number") {
    return html`<label
      >${name} ${range === undefined ? "" : html`<small>${range[0]} to ${range[1]}</small>`}
      <input name="${name}" data-kind="number" type="number" step="any" value="${value ?? ""}" ${required}
    /></label>`;
  }
  const id = `values of ${name}`;
  return html`<label>${name} <input name="${name}" data-kind="string" value="${value ?? ""}" list="${id}" ${required} /></label>
    <datalist id="${id}">${(categories ?? []).slice(0, 100).map((category) => html`<option value="${category}"></option>`)}</datalist>`;
}

const script = `
for (const form of document.querySelectorAll("form[data-path]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const out = form.querySelector("pre");
    out.hidden = false;
    try {
      const row = {};
      for (const field of form.querySelectorAll("[data-kind]")) {
        if (field.dataset.kind === "tensor") row[field.name] = JSON.parse(field.value);
        else if (field.value !== "") row[field.name] = field.dataset.kind === "number" ? Number(field.value) : field.value;
      }
      const response = await fetch(form.dataset.path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ instances: [row] }) });
      const answer = await response.json();
      out.textContent = JSON.stringify(answer.predictions ? answer.predictions[0] : answer, undefined, 1);
    } catch (error) { out.textContent = String(error); }
  });
}
`;
