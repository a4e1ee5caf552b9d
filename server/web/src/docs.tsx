// The API from its own OpenAPI document, with examples that run: what is sent goes to this very server.

import './docs.css';
import type { JSX } from 'preact';
import { render } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Logo } from './ui/parts';
import { applyTheme, ThemePicker, themeOf } from './ui/shell';

type Node = Record<string, any>;
const methods = ['get', 'post', 'put', 'patch', 'delete'];

const resolve = (document: Node, node: Node | undefined): Node => {
  let at: any = node ?? {};
  for (let depth = 0; at?.$ref && depth < 10; ++depth) at = String(at.$ref).slice(2).split('/').reduce((inside: any, name) => inside?.[name.replace(/~1/g, '/').replace(/~0/g, '~')], document);
  return at ?? {};
};

/** An example of a schema: the one it gives, else one made of its parts. */
function exampleOf(document: Node, schema: Node | undefined, depth = 0): unknown {
  const node = resolve(document, schema);
  if (node.example !== undefined) return node.example;
  if (Array.isArray(node.examples) && node.examples.length) return node.examples[0];
  if (node.const !== undefined) return node.const;
  if (Array.isArray(node.enum)) return node.enum[0];
  if (depth > 6) return null;
  const choice = node.oneOf?.[0] ?? node.anyOf?.[0];
  if (choice) return exampleOf(document, choice, depth + 1);
  if (node.allOf) return Object.assign({}, ...node.allOf.map((part: Node) => exampleOf(document, part, depth + 1)));
  const type = Array.isArray(node.type) ? node.type[0] : node.type;
  if (type === 'object' || node.properties) {
    const needed: string[] = node.required ?? Object.keys(node.properties ?? {});
    return Object.fromEntries(needed.filter((name) => node.properties?.[name]).map((name) => [name, exampleOf(document, node.properties[name], depth + 1)]));
  }
  if (type === 'array') return [exampleOf(document, node.items, depth + 1)];
  if (type === 'integer' || type === 'number') return node.default ?? node.minimum ?? 1;
  if (type === 'boolean') return false;
  if (node.format === 'date') return new Date().toISOString().slice(0, 10);
  if (node.format === 'date-time') return new Date().toISOString();
  return 'text';
}

const typeOf = (document: Node, schema: Node | undefined): string => {
  const node = resolve(document, schema);
  if (node.enum) return node.enum.map((one: unknown) => JSON.stringify(one)).join(' | ');
  if (node.oneOf) return node.oneOf.map((one: Node) => typeOf(document, one)).join(' or ');
  const type = Array.isArray(node.type) ? node.type.join(' | ') : (node.type ?? 'any');
  if (type === 'array') return `list of ${typeOf(document, node.items)}`;
  return [type, node.format].filter(Boolean).join(', ');
};

const Text = ({ children }: { children: string }): JSX.Element => (
  <>{children.split('\n\n').map((paragraph, i) => <p key={i}>{paragraph.split('`').map((piece, j) => (j % 2 ? <code key={j}>{piece}</code> : piece))}</p>)}</>
);

function Fields({ document, schema }: { document: Node; schema: Node | undefined }): JSX.Element | null {
  const node = resolve(document, schema);
  if (!node.properties) return null;
  const required = new Set<string>(node.required ?? []);
  return (
    <table class="grid"><thead><tr><th scope="col">field</th><th scope="col">type</th><th scope="col">meaning</th></tr></thead>
      <tbody>{Object.entries<Node>(node.properties).map(([name, field]) => (
        <tr key={name}><td><code>{name}</code>{required.has(name) ? '' : ' ?'}</td><td>{typeOf(document, field)}</td><td>{resolve(document, field).description ?? ''}</td></tr>
      ))}</tbody></table>
  );
}

interface Operation { id: string; method: string; path: string; tag: string; node: Node }

function Try({ document, operation, token }: { document: Node; operation: Operation; token: string }): JSX.Element {
  const parameters: Node[] = (operation.node.parameters ?? []).map((one: Node) => resolve(document, one));
  const media = Object.entries<Node>(resolve(document, operation.node.requestBody).content ?? {})[0];
  const first = media ? (media[1].example ?? (media[1].examples ? (Object.values<Node>(media[1].examples)[0] as Node).value : undefined) ?? exampleOf(document, media[1].schema)) : undefined;
  const [values, setValues] = useState<Record<string, string>>({});
  const [body, setBody] = useState(typeof first === 'string' ? first : first === undefined ? '' : JSON.stringify(first, null, 2));
  const [answer, setAnswer] = useState<{ status: string; text: string } | null>(null);
  const value = (one: Node): string => values[one.name] ?? '';
  const address = (): string => {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] || `{${name}}`));
    const query = parameters.filter((one) => one.in === 'query' && value(one)).map((one) => `${one.name}=${encodeURIComponent(value(one))}`);
    return path + (query.length ? `?${query.join('&')}` : '');
  };
  const headers = (): Record<string, string> => ({
    ...Object.fromEntries(parameters.filter((one) => one.in === 'header' && value(one)).map((one) => [one.name, value(one)])),
    ...(body && media ? { 'Content-Type': media[0] } : {}), ...(token ? { Authorization: `Bearer ${token}` } : {}),
  });
  const send = async (): Promise<void> => {
    setAnswer({ status: '…', text: '' });
    try {
      const response = await fetch(address(), { method: operation.method.toUpperCase(), headers: headers(), body: body && media ? body : undefined });
      const text = (await response.text()).slice(0, 20000);
      let shown = text;
      try {
        shown = JSON.stringify(JSON.parse(text), null, 2);
      } catch { /* not JSON: as it is */ }
      setAnswer({ status: `${response.status} ${response.statusText}`, text: shown });
    } catch (error) {
      setAnswer({ status: 'no answer', text: String(error) });
    }
  };
  const curl = `curl -X ${operation.method.toUpperCase()} '${location.origin}${address()}'${Object.entries(headers()).map(([name, text]) => ` \\\n  -H '${name}: ${name === 'Authorization' ? 'Bearer $token' : text}'`).join('')}${body && media ? ` \\\n  -d '${body.replace(/\s*\n\s*/g, ' ').replace(/'/g, "'\\''")}'` : ''}`;
  return (
    <details class="try">
      <summary>Try it</summary>
      <form onSubmit={(event) => { event.preventDefault(); void send(); }}>
        <div class="try-fields">{parameters.map((one) => (
          <label key={one.in + one.name} class="field"><span>{one.name} <small>{one.in}</small></span><input class="input" required={one.required} value={value(one)} onInput={(event) => setValues({ ...values, [one.name]: event.currentTarget.value })} /></label>
        ))}</div>
        {media && <label class="field"><span>body <small>{media[0]}</small></span><textarea class="input" rows={Math.min(14, body.split('\n').length + 1)} spellcheck={false} value={body} onInput={(event) => setBody(event.currentTarget.value)} /></label>}
        <pre tabIndex={0} aria-label="as a command"><code>{curl}</code></pre>
        <button class="button small primary">Send</button>
        <div role="status">{answer && <><p><b>{answer.status}</b></p><pre tabIndex={0} aria-label="answer"><code>{answer.text}</code></pre></>}</div>
      </form>
    </details>
  );
}

function Call({ document, operation, token }: { document: Node; operation: Operation; token: string }): JSX.Element {
  const { node } = operation;
  const parameters: Node[] = (node.parameters ?? []).map((one: Node) => resolve(document, one));
  const media = Object.entries<Node>(resolve(document, node.requestBody).content ?? {})[0];
  return (
    <article class="call" id={operation.id}>
      <h3><span class={`method method-${operation.method}`}>{operation.method.toUpperCase()}</span> <code>{operation.path}</code></h3>
      <p class="summary">{node.summary}</p>
      {node.description && <Text>{node.description}</Text>}
      {parameters.length > 0 && (
        <table class="grid"><thead><tr><th scope="col">parameter</th><th scope="col">in</th><th scope="col">type</th><th scope="col">meaning</th></tr></thead>
          <tbody>{parameters.map((one) => <tr key={one.in + one.name}><td><code>{one.name}</code>{one.required ? '' : ' ?'}</td><td>{one.in}</td><td>{typeOf(document, one.schema)}</td><td>{one.description}</td></tr>)}</tbody></table>
      )}
      {media && <><h4>Body: <code>{media[0]}</code></h4><Fields document={document} schema={media[1].schema} /></>}
      <h4>Answers</h4>
      <table class="grid"><tbody>{Object.entries<Node>(node.responses).map(([status, response]) => {
        const found = resolve(document, response);
        return <tr key={status}><th scope="row"><b>{status}</b></th><td><Text>{found.description ?? ''}</Text></td></tr>;
      })}</tbody></table>
      <Try document={document} operation={operation} token={token} />
    </article>
  );
}

function Docs(): JSX.Element {
  const [document, setDocument] = useState<Node | null>(null);
  const [error, setError] = useState('');
  const [token, setToken] = useState('');
  const [words, setWords] = useState('');
  useEffect(() => {
    fetch('/openapi.json').then((response) => response.json()).then(setDocument, (problem) => setError(String(problem)));
  }, []);
  const operations = useMemo<Operation[]>(() => Object.entries<Node>(document?.paths ?? {}).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => ({ id: item[method].operationId, method, path, tag: item[method].tags?.[0] ?? 'other', node: item[method] }))), [document]);
  if (error) return <p role="alert">{error}</p>;
  if (!document) return <p role="status">Loading…</p>;
  const shown = operations.filter((one) => `${one.method} ${one.path} ${one.node.summary}`.toLowerCase().includes(words.toLowerCase()));
  const tags = [...new Set(operations.map((one) => one.tag))];
  return (
    <div class="docs">
      <header class="docs-top"><a class="logo" href="/docs"><Logo /><span>Usher API</span></a><a href="/" data-plain>Shop</a><a href="/openapi.json" data-plain>openapi.json</a><ThemePicker /></header>
      <nav class="docs-nav" aria-label="Calls">
        <label class="field"><span class="sr">Find a call</span><input class="input" type="search" placeholder="Find a call" value={words} onInput={(event) => setWords(event.currentTarget.value)} /></label>
        {tags.map((tag) => shown.some((one) => one.tag === tag) && (
          <div key={tag}><h2>{tag}</h2><ul>{shown.filter((one) => one.tag === tag).map((one) => <li key={one.id}><a href={`#${one.id}`} title={one.node.summary}><span class={`method method-${one.method}`}>{one.method}</span> {one.path}</a></li>)}</ul></div>
        ))}
      </nav>
      <main id="main">
        <h1>{document.info.title} {document.info.version}</h1>
        <Text>{document.info.description ?? ''}</Text>
        <label class="field docs-token"><span>Token for trying calls <small>(stays in this page; without one the session of this browser is used)</small></span><input class="input" spellcheck={false} autocomplete="off" value={token} onInput={(event) => setToken(event.currentTarget.value.trim())} /></label>
        {tags.map((tag) => shown.some((one) => one.tag === tag) && (
          <section key={tag} aria-label={tag}><h2 class="docs-tag">{tag}</h2>{shown.filter((one) => one.tag === tag).map((one) => <Call key={one.id} document={document} operation={one} token={token} />)}</section>
        ))}
      </main>
    </div>
  );
}

applyTheme(themeOf());
render(<Docs />, document.getElementById('root') as HTMLElement);
