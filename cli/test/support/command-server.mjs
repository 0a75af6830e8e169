// Runs one command line after the other without a new process for each: loading the program is most of what a command costs.
import { Readable } from 'node:stream';
import { main } from '../../dist/main.js';

const own = { ...process.env };

process.on('message', async ({ args, cwd, env, input }) => {
  const printed = { stdout: '', stderr: '' };
  const streams = ['stdout', 'stderr'].map((name) => {
    const { write } = process[name];
    process[name].write = (chunk, ...rest) => {
      printed[name] += chunk.toString();
      const done = rest.at(-1);
      if (typeof done === 'function') process.nextTick(done);
      return true;
    };
    return () => {
      process[name].write = write;
    };
  });
  process.chdir(cwd);
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true });
  process.exitCode = undefined;
  replaceEnvironment(env);
  const code = await main(args);
  replaceEnvironment(own);
  for (const restore of streams) restore();
  process.send({ code, ...printed });
});
process.on('disconnect', () => process.exit(0));

function replaceEnvironment(env) {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
}
