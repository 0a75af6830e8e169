import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SignJWT } from 'jose';
import postgres from 'postgres';
import { CountingSocket } from './lib/counting-socket.mjs';
import { median, percentile, round } from './lib/stats.mjs';

export const title = 'Realtime: 1,000 sockets, sends from the database, fan-out beside a bare ws server';

const SOCKETS = 1_000;
const ROUNDS = 3;
const MESSAGES = 100;
const SINGLES = 25;
const LATENCY_SAMPLES = 400;
const FAN_OUT_SAMPLES = 40;
const BODY = JSON.stringify({ fill: 'x'.repeat(200) });
const JWT_SECRET = 'the-secret-of-the-benchmark-is-long-enough';

/** No limit may be reached here; the plans' would end the run after five seconds. */
const limits = {
  connections: 100_000,
  messagesPerSecond: 1e12,
  joinsPerSecond: 1e12,
  channelsPerConnection: 1_000,
  presenceMessagesPerSecond: 1e12,
};

export async function measure({ say }) {
  const child = fork(join(import.meta.dirname, 'realtime', 'server.mjs'), [
    JSON.stringify({ jwtSecret: JWT_SECRET, limits }),
  ]);
  const server = new Server(child);
  const { port, databaseUrl } = await server.ready();
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(`create policy "members read" on realtime.messages for select to authenticated
      using (realtime.topic() like 'bench:%');
      create policy "members write" on realtime.messages for insert to authenticated
      with check (realtime.topic() like 'bench:%')`);
    return await run({ say, server, port, sql });
  } finally {
    await sql.end({ timeout: 1 });
    await server.stop();
  }
}

async function run({ say, server, port, sql }) {
  const token = await new SignJWT({ role: 'authenticated', sub: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(JWT_SECRET));
  const path = `/websocket?vsn=2.0.0&apikey=${token}`;
  const counter = new Counter();
  const config = { private: true, broadcast: { self: false, ack: false }, presence: { enabled: false } };

  say(`opening ${SOCKETS} sockets, each joining a topic of its own and one of all`);
  const memoryBefore = await server.ask('memory');
  const joinStarted = performance.now();
  const sockets = await inBatches(SOCKETS, 50, async (n) => {
    const socket = await CountingSocket.open(port, path, counter.count);
    await socket.join(`bench:own:${n}`, '1', config);
    await socket.join('bench:all', '2', config);
    return socket;
  });
  const joinMs = performance.now() - joinStarted;
  const memoryAfter = await server.ask('memory');
  await feedIsUp(sql, port, path, config);

  say(`latency of ${LATENCY_SAMPLES} sends from the database to one subscriber`);
  const latency = [];
  for (let n = 0; n < LATENCY_SAMPLES; n += 1) {
    const arrived = counter.expect(1);
    const sent = performance.now();
    await sql`select realtime.send(${BODY}::text::jsonb, 'tick', ${`bench:own:${n % SOCKETS}`})`;
    latency.push((await arrived) - sent);
  }

  say(`latency of ${FAN_OUT_SAMPLES} sends from the database to all ${SOCKETS}`);
  const fanOutLatency = [];
  for (let n = 0; n < FAN_OUT_SAMPLES; n += 1) {
    const arrived = counter.expect(SOCKETS);
    const sent = performance.now();
    await sql`select realtime.send(${BODY}::text::jsonb, 'tick', 'bench:all')`;
    fanOutLatency.push((await arrived) - sent);
  }

  const bareSockets = await inBatches(SOCKETS, 50, () => CountingSocket.open(port, '/bare', counter.count));
  const barePublisher = await CountingSocket.open(port, '/bare');
  const publisher = await CountingSocket.open(port, path);
  await publisher.join('bench:all', '1', config);
  const push = userBroadcast(3, ['1', '', 'realtime:bench:all', 'tick', ''], BODY);
  const sameBytes = userBroadcast(4, ['realtime:bench:all', 'tick', ''], BODY);

  const fromDatabase = (count) =>
    sql`select realtime.send(${BODY}::text::jsonb, 'tick', 'bench:all') from generate_series(1, ${count}::int)`;
  const contestants = {
    bare: (count) => repeat(count, () => barePublisher.sendBinary(sameBytes)),
    socket: (count) => repeat(count, () => publisher.sendBinary(push)),
    database: fromDatabase,
  };
  const rates = {};
  const cpu = {};
  for (const [manner, pieces] of Object.entries({ burst: [MESSAGES], single: Array(SINGLES).fill(1) })) {
    rates[manner] = { bare: [], socket: [], database: [] };
    cpu[manner] = { bare: [], socket: [], database: [] };
    const messages = pieces.reduce((sum, count) => sum + count, 0);
    say(`${messages} messages to ${SOCKETS} sockets, ${manner === 'burst' ? 'all at once' : 'one after the other'}`);
    for (let turn = 0; turn <= ROUNDS; turn += 1) {
      for (const [name, send] of Object.entries(contestants)) {
        await server.ask('cpu');
        const started = performance.now();
        let arrivedAt = started;
        for (const count of pieces) {
          const arrived = counter.expect(SOCKETS * count);
          await send(count);
          arrivedAt = await arrived;
        }
        const cpuMs = await server.ask('cpu');
        // The first turn warms up.
        if (turn === 0) continue;
        rates[manner][name].push((SOCKETS * messages * 1_000) / (arrivedAt - started));
        cpu[manner][name].push((cpuMs * 1_000) / (SOCKETS * messages));
      }
    }
  }
  for (const socket of [...sockets, ...bareSockets, publisher, barePublisher]) socket.close();

  const fanOut = (manner, words) => {
    const rate = (name) => Math.round(median(rates[manner][name]));
    const against = (name) => ({
      value: round(rate(name) / rate('bare'), 2),
      unit: '',
      aim: '≥ 0.33',
      met: rate(name) * 3 >= rate('bare'),
    });
    const spent = (name) => ({ value: round(median(cpu[manner][name]), 2), unit: 'µs/delivery' });
    return [
      { name: `${words}: bare ws`, value: rate('bare'), unit: 'deliveries/s' },
      { name: `${words}: broadcast from a socket`, value: rate('socket'), unit: 'deliveries/s' },
      { name: `${words}: realtime.send`, value: rate('database'), unit: 'deliveries/s' },
      { name: `${words}: ratio socket to bare`, ...against('socket') },
      { name: `${words}: ratio realtime.send to bare`, ...against('database') },
      { name: `${words}: server CPU, bare ws`, ...spent('bare') },
      { name: `${words}: server CPU, broadcast from a socket`, ...spent('socket') },
      { name: `${words}: server CPU, realtime.send`, ...spent('database') },
    ];
  };
  return {
    notes: [
      'Limits of the plan were lifted; channels are private under a row level security policy; Postgres is durable.',
      `Server and clients are two processes; the clients count frames without reading them. Payload ${BODY.length} bytes, frame ${sameBytes.length} bytes.`,
      `Fan-out: ${MESSAGES} messages at once, or ${SINGLES} one by one, median of ${ROUNDS} rounds after a warm-up, contestants taking turns.`,
      'In a burst frames of one socket can share a write; one by one each message is waited for at all sockets.',
    ],
    results: [
      { name: 'database → one subscriber, p50', value: round(percentile(latency, 0.5), 2), unit: 'ms' },
      { name: 'database → one subscriber, p99', value: round(percentile(latency, 0.99), 2), unit: 'ms' },
      {
        name: 'database → all 1,000, the last of them, p50',
        value: round(percentile(fanOutLatency, 0.5), 2),
        unit: 'ms',
      },
      {
        name: 'database → all 1,000, the last of them, p99',
        value: round(percentile(fanOutLatency, 0.99), 2),
        unit: 'ms',
      },
      ...fanOut('burst', 'burst'),
      ...fanOut('single', 'one by one'),
      { name: 'private joins', value: Math.round((SOCKETS * 2 * 1_000) / joinMs), unit: 'joins/s' },
      { name: 'memory of 1,000 sockets, 2 channels each', value: round(memoryAfter - memoryBefore), unit: 'MB' },
    ],
    details: {
      sockets: SOCKETS,
      messages: MESSAGES,
      singles: SINGLES,
      rounds: ROUNDS,
      limits,
      rates,
      latency,
      fanOutLatency,
    },
  };
}

/** Resolves with the time at which the expected number of frames had come, over all sockets. */
class Counter {
  #left = 0;
  #done = () => {};

  count = () => {
    this.#left -= 1;
    if (this.#left === 0) this.#done(performance.now());
  };

  expect(frames, ms = 20_000) {
    this.#left = frames;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${this.#left} of ${frames} frames did not come in ${ms} ms`)),
        ms,
      );
      this.#done = (at) => {
        clearTimeout(late);
        resolve(at);
      };
    });
  }
}

/** Sends until one arrives on a socket of its own: nothing sent before the feed is up ever does. */
async function feedIsUp(sql, port, path, config) {
  const socket = await CountingSocket.open(port, path);
  await socket.join('bench:up', '1', config);
  for (let attempt = 0; attempt < 200 && socket.binaryFrames === 0; attempt += 1) {
    await sql`select realtime.send('{}', 'up', 'bench:up')`;
    await delay(100);
  }
  socket.close();
  if (socket.binaryFrames === 0) throw new Error('The feed did not come up in 20 s');
}

function repeat(count, task) {
  for (let n = 0; n < count; n += 1) task();
}

async function inBatches(count, size, make) {
  const made = [];
  while (made.length < count) {
    const batch = Array.from({ length: Math.min(size, count - made.length) }, (_, n) => make(made.length + n));
    made.push(...(await Promise.all(batch)));
  }
  return made;
}

function userBroadcast(kind, strings, body) {
  const parts = strings.map((part) => Buffer.from(part));
  return Buffer.concat([Buffer.from([kind, ...parts.map((part) => part.length), 1]), ...parts, Buffer.from(body)]);
}

/** The measured process, asked over the IPC channel. */
class Server {
  #child;
  #asked = 0;

  constructor(child) {
    this.#child = child;
  }

  async ready() {
    const [message] = await Promise.race([
      once(this.#child, 'message'),
      once(this.#child, 'exit').then(([code]) => {
        throw new Error(`The server process ended with ${code} before it was ready`);
      }),
    ]);
    return message.ready;
  }

  ask(ask) {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      const listen = (message) => {
        if (message.id !== id) return;
        this.#child.off('message', listen);
        resolve(message.answer);
      };
      this.#child.on('message', listen);
      this.#child.send({ id, ask });
    });
  }

  async stop() {
    const ended = once(this.#child, 'exit');
    this.#child.send({ id: 0, ask: 'stop' });
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(late);
  }
}
