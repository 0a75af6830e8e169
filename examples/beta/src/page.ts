/** The page of the service: asks `api/targets` every second and draws it. Nothing is loaded from elsewhere. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>beta</title>
<style>
  :root { color-scheme: light dark; --ink: #1c2430; --dim: #66707f; --line: #dfe4ea; --card: #fff; --back: #f4f6f8; --up: #0a7d5a; --down: #c2410c }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --dim: #93a0b1; --line: #2b3440; --card: #171d25; --back: #10151b; --up: #3ecf8e; --down: #fb923c } }
  * { box-sizing: border-box }
  body { margin: 0; padding: 2rem 1rem; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
  main { max-width: 60rem; margin: auto }
  h1 { margin: 0; font-size: 1.5rem } .dim { color: var(--dim) }
  #targets { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1rem; margin-top: 1.25rem }
  article { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem }
  article h2 { margin: 0; font-size: 1.05rem; display: flex; justify-content: space-between; gap: .5rem }
  article p { margin: .1rem 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
  .up { color: var(--up) } .down { color: var(--down) }
  svg { display: block; width: 100%; height: 48px; margin: .5rem 0 }
  rect.ok { fill: var(--up) } rect.bad { fill: var(--down) }
  #gone { color: var(--down) }
</style>
<main>
  <h1 id="title">beta</h1>
  <p class="dim"><span id="pod"></span> <span id="gone" role="status"></span></p>
  <div id="targets"></div>
</main>
<script>
  const at = (id) => document.getElementById(id);
  const make = (tag, text, className) => Object.assign(document.createElement(tag), { textContent: text || '', className: className || '' });
  function bars(history, size) {
    const ns = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(ns, 'svg');
    svg.setAttribute('viewBox', '0 0 ' + size + ' 48');
    svg.setAttribute('preserveAspectRatio', 'none');
    const top = Math.max(1, ...history.map((check) => check.ms));
    history.forEach((check, index) => {
      const height = check.ok ? Math.max(2, (check.ms / top) * 46) : 46;
      const bar = document.createElementNS(ns, 'rect');
      const box = { x: size - history.length + index, y: 48 - height, width: .8, height };
      for (const name in box) bar.setAttribute(name, box[name]);
      bar.setAttribute('class', check.ok ? 'ok' : 'bad');
      const title = document.createElementNS(ns, 'title');
      title.textContent = check.at + ': ' + (check.ok ? check.ms + ' ms' : check.error);
      bar.append(title);
      svg.append(bar);
    });
    return svg;
  }
  function card(target, size) {
    const box = make('article');
    const head = make('h2', target.name);
    const last = target.history.at(-1);
    const word = target.up === null ? 'not checked yet' : target.up ? 'up' : 'down';
    head.append(make('span', word, target.up === false ? 'down' : 'up'));
    const speed = target.latency ? 'median ' + target.latency.p50 + ' ms, p95 ' + target.latency.p95 + ' ms' : 'no answer yet';
    box.append(head, make('p', target.url, 'dim'), bars(target.history, size), make('p', speed));
    box.append(make('p', last && !last.ok ? last.error : target.checks + ' checks, ' + target.failures + ' failed', 'dim'));
    return box;
  }
  async function refresh() {
    try {
      const state = await (await fetch('api/targets')).json();
      document.title = at('title').textContent = state.title;
      at('pod').textContent = 'pod ' + state.pod + ' on ' + state.node + ', ' + state.pack;
      at('targets').replaceChildren(...state.targets.map((target) => card(target, state.history)));
      at('gone').textContent = '';
    } catch { at('gone').textContent = 'not answering'; }
  }
  refresh();
  setInterval(refresh, 1000);
</script>
`;
