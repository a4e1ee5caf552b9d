// The catalog: import of a document with a dry run that shows what would change.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { postText, Problem } from '../lib/api';

interface Count { added: number; changed: number; unchanged: number }
type Summary = Record<string, Count | number | { kind: string; id: string; change: string }[]>;
interface Mistake { path: string; rule: string }

export function CatalogPage(): JSX.Element {
  const [text, setText] = useState('');
  const [summary, setSummary] = useState<Summary | null>(null);
  const [mistakes, setMistakes] = useState<Mistake[]>([]);
  const [message, setMessage] = useState('');
  const [busy, setBusy] = useState(false);
  const send = async (dry: boolean): Promise<void> => {
    setBusy(true);
    setMistakes([]);
    setSummary(null);
    try {
      setSummary(await postText<Summary>(`/admin/import${dry ? '?dry_run=true' : ''}`, text, text.trimStart().startsWith('{') ? 'application/json' : 'text/csv'));
      setMessage(dry ? 'This is what would change. Nothing has changed yet.' : 'Imported.');
    } catch (problem) {
      setMistakes(problem instanceof Problem ? ((problem.body.errors as Mistake[]) ?? []) : []);
      setMessage(problem instanceof Problem ? `${problem.code}: ${problem.detail}` : String(problem));
    }
    setBusy(false);
  };
  return (
    <>
      <h1>Catalog</h1>
      <section class="panel">
        <p class="hint">A JSON document with movies, layouts, theaters and shows, or a CSV file of movies, theaters or shows. What is there already and equal stays as it is; a single mistake refuses all of it.</p>
        <label class="field"><span>A file</span><input class="input" type="file" accept="application/json,.json,text/csv,.csv" onChange={(event) => { const file = event.currentTarget.files?.[0]; if (file) void file.text().then(setText); }} /></label>
        <label class="field"><span>or its text</span><textarea class="input" rows={10} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
        <div class="row-buttons">
          <button class="button small" disabled={busy || !text} onClick={() => void send(true)}>Show what would change</button>
          <button class="button small primary" disabled={busy || !text} onClick={() => void send(false)}>Import</button>
        </div>
        <p role="status">{message}</p>
        {mistakes.length > 0 && <table class="grid"><thead><tr><th scope="col">where</th><th scope="col">rule</th></tr></thead><tbody>{mistakes.map((one) => <tr key={one.path + one.rule}><td><code>{one.path}</code></td><td>{one.rule}</td></tr>)}</tbody></table>}
        {summary && (
          <table class="grid"><thead><tr><th scope="col">what</th><th scope="col">new</th><th scope="col">changed</th><th scope="col">as before</th></tr></thead>
            <tbody>{Object.entries(summary).filter((entry): entry is [string, Count] => typeof entry[1] === 'object' && !Array.isArray(entry[1])).map(([name, count]) => <tr key={name}><th scope="row">{name}</th><td>{count.added}</td><td>{count.changed}</td><td>{count.unchanged}</td></tr>)}</tbody></table>
        )}
        {Array.isArray(summary?.differences) && summary.differences.length > 0 && (
          <table class="grid"><thead><tr><th scope="col">kind</th><th scope="col">id</th><th scope="col">difference</th></tr></thead>
            <tbody>{summary.differences.map((one) => <tr key={one.kind + one.id}><td>{one.kind}</td><td><code>{one.id}</code></td><td>{one.change}</td></tr>)}</tbody></table>
        )}
      </section>
    </>
  );
}
