#!/usr/bin/env node
// SIGUSR1 opens the debugger of a Node.js process to everyone on the machine, and with it every key. Before the program is
// loaded, which takes longer than this; until here only `node --disable-sigusr1` keeps it shut.
process.on('SIGUSR1', () => {});

const { start } = await import('../dist/main.js');
await start(process.argv.slice(2));
