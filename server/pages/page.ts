import { html, raw } from "hono/html";

/** HTML that is escaped already. */
export type Html = ReturnType<typeof raw>;

/** A whole page around some content, with the one style sheet that all plain pages share. Nothing in it is loaded from elsewhere. */
export async function page(title: string, content: Html | Promise<Html>, { script = "" }: { readonly script?: string } = {}): Promise<Html> {
  return await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <main>${content}</main>
        <script>
          ${raw(script)};
        </script>
      </body>
    </html>`;
}

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 22%, transparent); --accent: #2e7d4f; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; overflow-wrap: anywhere; }
main { max-width: 52rem; margin: 0 auto; padding: 1rem; }
nav a { margin-right: 1rem; }
a { color: var(--accent); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
details, form { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; margin: .6rem 0; }
summary { cursor: pointer; }
.method { display: inline-block; min-width: 3.2rem; font-weight: 700; color: var(--accent); }
pre, textarea { width: 100%; font: 13px/1.45 ui-monospace, monospace; overflow: auto; max-height: 24rem; }
pre { background: color-mix(in srgb, currentColor 7%, transparent); padding: .6rem; border-radius: .4rem; white-space: pre-wrap; }
textarea { min-height: 8rem; resize: vertical; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .7rem; }
label { display: block; font-size: .9rem; }
input, select { width: 100%; font: inherit; padding: .3rem; }
button { font: inherit; padding: .4rem 1rem; margin-top: .6rem; background: var(--accent); color: #fff; border: 0; border-radius: .4rem; cursor: pointer; }
small { opacity: .75; }
`;
