// What each pod runs: nothing, until it is asked to end.
export default (ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
