#!/usr/bin/env node
// SIGUSR1 opens the debugger of a Node.js process to everyone on the machine, and with it every key. Before the program is
// loaded, which takes longer than this; `node --disable-sigusr1` would be sooner, and Node.js 20 does not start with it.
process.on('SIGUSR1', () => {});
closeDebugger();

if (process.argv[2] === '__complete') {
  const { complete } = await import('../dist/complete/main.js');
  await complete(process.argv.slice(3));
  // A connection that rests would keep it alive.
  process.exit(0);
} else {
  const { start } = await import('../dist/main.js');
  closeDebugger();
  await start(process.argv.slice(2));
}

/** Closes one that was opened while Node.js itself started, unless the one who started this asked for it. */
function closeDebugger() {
  const inspector = process.getBuiltinModule('node:inspector');
  const isWanted =
    process.execArgv.some((word) => /^--inspect(-brk|-wait)?(=|$)/.test(word)) || process.env.NODE_OPTIONS;
  if (!isWanted && inspector.url() !== undefined) inspector.close();
}
