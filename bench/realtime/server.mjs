// The measured side, a process of its own: Postgres, the Realtime server, and a bare `ws` server to compare with.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRealtimeServer } from '@stark-o/realtime';
import pino from 'pino';
import { WebSocketServer } from 'ws';
import { bootstrapPlatform } from '../../local/dist/postgres/bootstrap.js';
import { PostgresCluster } from '../../local/dist/postgres/cluster.js';

const { jwtSecret, limits } = JSON.parse(process.argv[2]);
const folder = await mkdtemp(join(tmpdir(), 'stark-bench-realtime-'));
const log = pino({ level: 'silent' });
const cluster = new PostgresCluster({ dataDir: join(folder, 'postgres'), port: 0, log });
await cluster.initialise();
await cluster.start();
await bootstrapPlatform(cluster);
const realtime = createRealtimeServer({ databaseUrl: cluster.url('supabase_admin'), jwtSecret, limits });
await realtime.start();

// What anybody would write with ws: every message of one client goes to all clients.
const bare = new WebSocketServer({ noServer: true, perMessageDeflate: false });
bare.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    for (const client of bare.clients) if (client !== socket) client.send(data, { binary: isBinary });
  });
});

const http = createServer((_request, response) => response.writeHead(404).end());
http.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  if (request.url.startsWith('/bare')) bare.handleUpgrade(request, socket, head, (ws) => bare.emit('connection', ws));
  else realtime.handleUpgrade(request, socket, head);
});
await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));

let cpu = process.cpuUsage();
const answers = {
  /** CPU milliseconds this process used since last asked. */
  cpu() {
    const used = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    return (used.user + used.system) / 1_000;
  },
  memory: () => process.memoryUsage().rss / 1_048_576,
  async stop() {
    for (const client of bare.clients) client.terminate();
    await realtime.stop();
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  },
};
process.on('message', async ({ id, ask }) => {
  process.send({ id, answer: await answers[ask]() });
  if (ask === 'stop') process.exit(0);
});
// The measuring process may die without a word; its data must not stay behind.
process.on('disconnect', () => answers.stop().finally(() => process.exit(1)));
process.send({ ready: { port: http.address().port, databaseUrl: cluster.url('supabase_admin') } });
