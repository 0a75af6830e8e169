// Many agents in one process: the real agent on the real control plane, with an executor that runs nothing.
import { Agent, ClusterClock, LogPipeline, SupabaseControlPlane } from '@stark-o/agent';
import { countFetches, http } from './counting-fetch.mjs';
import { CountingWebSocket, counts } from './counting-web-socket.mjs';

const { url, key, token, count } = JSON.parse(process.argv[2]);
process.on('disconnect', () => process.exit(0));
countFetches();
const clock = new ClusterClock();
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

const executor = {
  usage: () => new Map(),
  launch: () => ({ stop() {} }),
  discard: async () => {},
  sweep: async () => {},
};
const bundles = { fetch: async () => '' };
const ports = { claim: async () => ({}), release() {}, httpGet: async () => 200 };
const emptyOutbox = () => ({
  size: 0,
  add() {},
  peek: () => [],
  done() {},
  onDrop() {},
  has: () => false,
  flush: async () => {},
  close: async () => {},
});

function agentOf(i) {
  const agent = new Agent({
    node: {
      name: `node-${i}`,
      runtime: 'node',
      labels: {},
      taints: [],
      allocatable: { cpu: 1_000, memory: 1_000, storage: 1_000, pods: 10 },
      capabilities: {},
    },
    controlPlane: new SupabaseControlPlane({
      url,
      key,
      credentials: { accessToken: async () => token },
      clock,
      log,
      transport: CountingWebSocket,
    }),
    executor,
    bundles,
    ports,
    reports: emptyOutbox(),
    logs: new LogPipeline({ outbox: emptyOutbox(), clock, log }),
    clock,
    log,
    connectTimeoutMs: 120_000,
  });
  return agent;
}

global.gc?.();
const before = process.memoryUsage().rss;
const agents = [];
for (let i = 0; i < count; i += 1) {
  const agent = agentOf(i);
  await agent.start();
  agents.push(agent);
}
process.on('message', async (message) => {
  if (message === 'read') {
    global.gc?.();
    const rssMb = (process.memoryUsage().rss - before) / 1_048_576;
    return process.send({ counts: structuredClone(counts), http: { ...http }, rssMb });
  }
  await Promise.all(agents.map((agent) => agent.stop()));
  process.exit(0);
});
process.send('ready');
