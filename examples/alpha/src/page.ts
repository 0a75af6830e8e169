/** The page of the service: asks `api/state` every second and shows it. Nothing is loaded from elsewhere. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>alpha</title>
<style>
  :root { color-scheme: light dark; --ink: #1c2430; --dim: #66707f; --line: #dfe4ea; --card: #fff; --back: #f4f6f8; --accent: #0a7d5a; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --dim: #93a0b1; --line: #2b3440; --card: #171d25; --back: #10151b; --accent: #3ecf8e; } }
  * { box-sizing: border-box }
  body { margin: 0; padding: 2rem 1rem; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
  main { max-width: 52rem; margin: auto }
  h1 { margin: 0; font-size: 1.5rem } h2 { font-size: 1rem; margin: 2rem 0 .5rem }
  .dim { color: var(--dim) } code { font: 13px ui-monospace, monospace }
  .numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0 }
  .number { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .75rem 1rem }
  .number b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums }
  form { display: flex; gap: .5rem } input { flex: 1; min-width: 0 }
  input, button { font: inherit; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit }
  button { background: var(--accent); border-color: var(--accent); color: #fff; cursor: pointer }
  table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: 10px }
  td, th { text-align: left; padding: .4rem .75rem; border-top: 1px solid var(--line); font-variant-numeric: tabular-nums }
  th { border-top: 0; color: var(--dim); font-weight: 500 }
  td.hash { max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
  #gone { color: #c2410c }
</style>
<main>
  <h1 id="title">alpha</h1>
  <p class="dim"><span id="pod"></span> <span id="gone" role="status"></span></p>
  <div class="numbers">
    <div class="number"><b id="finished">–</b><span class="dim">jobs finished</span></div>
    <div class="number"><b id="waiting">–</b><span class="dim">waiting</span></div>
    <div class="number"><b id="rate">–</b><span class="dim">in the last minute</span></div>
    <div class="number"><b id="starts">–</b><span class="dim">starts of this pod</span></div>
  </div>
  <form id="add"><input name="text" maxlength="200" required placeholder="A text to work on" aria-label="A text to work on"><button>Add job</button></form>
  <h2>Working on</h2>
  <p id="current" class="dim">nothing</p>
  <h2>Last results</h2>
  <table><thead><tr><th>Job</th><th>Text</th><th>Hash</th><th>Tries</th><th>Time</th></tr></thead><tbody id="recent"></tbody></table>
</main>
<script>
  const at = (id) => document.getElementById(id);
  const cell = (row, text, className) => Object.assign(row.insertCell(), { textContent: text, className: className || '' });
  function show(state) {
    document.title = at('title').textContent = state.title;
    at('pod').textContent = 'pod ' + state.pod + ' on ' + state.node + ', ' + state.pack;
    for (const name of ['finished', 'waiting', 'rate', 'starts']) at(name).textContent = state[name];
    at('current').textContent = state.current ? 'job ' + state.current.id + ': ' + state.current.text : 'nothing';
    const rows = state.recent.map((job) => {
      const row = document.createElement('tr');
      cell(row, job.id); cell(row, job.text); cell(row, job.hash, 'hash').title = job.hash;
      cell(row, job.nonce + 1); cell(row, job.tookMs + ' ms');
      return row;
    });
    at('recent').replaceChildren(...rows);
  }
  async function refresh() {
    try {
      show(await (await fetch('api/state')).json());
      at('gone').textContent = '';
    } catch { at('gone').textContent = 'not answering'; }
  }
  at('add').addEventListener('submit', async (event) => {
    event.preventDefault();
    const { text } = event.target.elements;
    const added = await fetch('api/jobs', { method: 'POST', body: JSON.stringify({ text: text.value }) });
    if (added.ok) text.value = '';
    refresh();
  });
  refresh();
  setInterval(refresh, 1000);
</script>
`;
