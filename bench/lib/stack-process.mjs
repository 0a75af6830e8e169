// The measured side: one stack, started from nothing in a process of its own and stopped by a message.
import { startStack } from '@stark-o/local';
import pino from 'pino';

const { workdir, dataDir, plan } = JSON.parse(process.argv[2]);
const steps = [];
const stack = await startStack({
  workdir,
  dataDir,
  port: 0,
  dbPort: 0,
  ...(plan && { plan }),
  log: pino({ level: 'silent' }),
  onStep: (step) => steps.push({ at: performance.now(), ...step }),
});
process.on('message', async (message) => {
  if (message === 'count') return process.send({ messages: stack.realtimeStats().messages });
  await stack.stop();
  process.exit(0);
});
process.on('disconnect', () => stack.stop().finally(() => process.exit(1)));
process.send({ url: stack.url, keys: stack.keys, dbUrl: stack.dbUrl, steps });
