// The same as a script: it loads the pack, says that it runs, and waits to be ended.
import pack from './pack.mjs';

const end = new AbortController();
process.on('SIGINT', () => end.abort());
process.on('SIGTERM', () => end.abort());
const keepAlive = setInterval(() => {}, 60_000);
process.send('ready');
await pack({ signal: end.signal });
clearInterval(keepAlive);
process.disconnect();
