import { startBrowserAgent } from './stark-agent.js';

const at = (id) => document.getElementById(id);
const form = at('join');
const button = form.querySelector('button');
const MAX_LINES = 500;
/** Which node this page was last, so that it comes back by itself after a refresh. Its session is kept by the agent. */
const MEMORY = 'browser-node';

function show({ status, name, nodeId, incarnation, pods }) {
  at('light').className = `light ${status}`;
  at('status').textContent = status;
  at('name').textContent = name;
  at('node-id').textContent = nodeId;
  at('incarnation').textContent = incarnation;
  at('pods').replaceChildren(...(pods.length > 0 ? pods.map(row) : [emptyRow()]));
}

function row({ name, pack, version, status, reason, restarts, message }) {
  const tr = document.createElement('tr');
  for (const text of [name, `${pack}@${version}`, reason ? `${status} (${reason})` : status, restarts, message ?? '']) {
    tr.insertCell().textContent = text;
  }
  return tr;
}

function emptyRow() {
  const tr = document.createElement('tr');
  const cell = Object.assign(tr.insertCell(), { colSpan: 5, className: 'dim', textContent: 'none yet' });
  return cell.parentElement;
}

function write(log, time, text, level = '') {
  const textContent = `${time.toLocaleTimeString()}  ${text}`;
  const line = Object.assign(document.createElement('div'), { textContent, className: level });
  const follows = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  log.append(line);
  while (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
  if (follows) log.scrollTop = log.scrollHeight;
}

/** Makes this tab the node that the form describes, until it leaves. */
async function become(credentials) {
  const { url, key, name, labels } = Object.fromEntries(new FormData(form));
  const pods = new Map();
  at('problem').textContent = '';
  at('status').textContent = 'connecting';
  at('cluster').textContent = url;
  button.disabled = true;
  try {
    const agent = await startBrowserAgent({
      url: url.replace(/\/$/, ''),
      key,
      credentials,
      name: name || undefined,
      labels: toLabels(labels),
      container: at('sites'),
      onState: (state) => {
        for (const pod of state.pods) pods.set(pod.id, pod.name);
        show(state);
      },
      onLog: ({ level, message, fields }) => {
        if (level !== 'debug')
          write(at('agent'), new Date(), fields.error ? `${message}: ${fields.error}` : message, level);
      },
      onPodLines: (lines) => {
        for (const { pod_id, time, level, message } of lines) {
          write(at('lines'), new Date(time), `${pods.get(pod_id) ?? pod_id}  ${message}`, level);
        }
      },
    });
    localStorage.setItem(MEMORY, JSON.stringify({ url, key, name, labels }));
    history.replaceState(null, '', location.pathname);
    showNode(true);
    at('leave').onclick = () => {
      localStorage.removeItem(MEMORY);
      void agent.stop();
    };
    const { reason, error } = await agent.ended;
    at('status').textContent = reason === 'stopped' ? 'left the cluster' : 'not wanted by the cluster';
    if (error) at('problem').textContent = problemOf(error);
  } catch (error) {
    at('status').textContent = 'not connected';
    at('problem').textContent = problemOf(error);
  } finally {
    showNode(false);
    button.disabled = false;
  }
}

function showNode(isNode) {
  form.hidden = isNode;
  at('node').hidden = !isNode;
  at('leave').hidden = !isNode;
}

function problemOf({ message, hint }) {
  return hint ? `${message}: ${hint}` : message;
}

/** `room=kitchen, screen=yes` as the agent wants it. */
function toLabels(text) {
  const pairs = text.split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => pair.split('=', 2).map((part) => part.trim())));
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const { token, email, password } = Object.fromEntries(new FormData(form));
  void become(email ? { email, password } : token ? { join: { token } } : undefined);
});

const given = new URLSearchParams(location.hash.slice(1));
const last = JSON.parse(localStorage.getItem(MEMORY) ?? 'null');
for (const [name, value] of given.size > 0 ? given : Object.entries(last ?? {})) {
  if (form.elements[name]) form.elements[name].value = value;
}
// A node that was told nothing new is the one it was.
if (given.size === 0 && last) void become();
