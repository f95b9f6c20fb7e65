import { html } from "hono/html";
import type { MediaType, OpenApiDocument, Operation } from "../openapi.ts";
import { page, type Html } from "./page.ts";

/** The OpenAPI document as a page that works without a network: every operation with its schema, and a form that sends its example. */
export async function docsPage(document: OpenApiDocument): Promise<Html> {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const content = html`<h1>${document.info.title}</h1>
    <nav><a href="/">Try it</a><a href="/openapi.json">openapi.json</a><a href="/metrics">Metrics</a></nav>
    <p>${document.info.description}</p>
    ${document.tags.map(
      (tag) =>
        html`<h2>${tag.name}</h2>
          <p>${tag.description}</p>
          ${operations.filter(({ operation }) => operation.tags.includes(tag.name)).map(operationSection)}`,
    )}`;
  return await page(document.info.title, content, { script });
}

function operationSection({ path, method, operation }: { path: string; method: string; operation: Operation }): Html | Promise<Html> {
  const body = operation.requestBody?.content["application/json"];
  return html`<details id="${operation.operationId}">
    <summary><span class="method">${method}</span> <code>${path}</code><br /><small>${operation.summary}</small></summary>
    ${operation.description === undefined ? "" : html`<p>${operation.description}</p>`}
    <form data-method="${method}" data-path="${path}">
      ${body === undefined ? "" : bodyField(body)}
      <button>Send</button>
      <pre hidden></pre>
    </form>
    ${body === undefined ? "" : schemaSection("Request schema", body.schema)}
    ${Object.entries(operation.responses).map(([status, { description, content }]) =>
      schemaSection(`${status}: ${description}`, Object.values(content ?? {})[0]?.schema),
    )}
  </details>`;
}

function bodyField({ examples = {} }: MediaType): Html | Promise<Html> {
  const [first, ...others] = Object.values(examples);
  return html`<label>Body <textarea name="body" spellcheck="false" aria-label="Request body">${show(first?.value ?? {})}</textarea></label>
    ${others.map(({ summary, value }) => html`<button type="button" data-example="${show(value)}">Example: ${summary.toLowerCase()}</button> `)}`;
}

function schemaSection(title: string, schema: unknown): Html | Promise<Html> {
  if (schema === undefined) return html`<p><small>${title}</small></p>`;
  return html`<details>
    <summary><small>${title}</small></summary>
    <pre>${show(schema)}</pre>
  </details>`;
}

function show(value: unknown): string {
  return JSON.stringify(value, undefined, 1);
}

const script = `
for (const form of document.querySelectorAll("form[data-path]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const out = form.querySelector("pre");
    const init = { method: form.dataset.method };
    if (form.body) { init.body = form.body.value; init.headers = { "content-type": "application/json" }; }
    out.hidden = false;
    try {
      const response = await fetch(form.dataset.path, init);
      const text = await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), undefined, 1); } catch {}
      out.textContent = response.status + " " + response.statusText + "\\n" + shown;
    } catch (error) { out.textContent = String(error); }
  });
}
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => { button.form.body.value = button.dataset.example; });
}
`;
