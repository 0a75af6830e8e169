export default (ctx) => {
  let refused;
  for (const target of [Number(ctx.env.AGENT), process.ppid, -1, 0, -process.pid]) {
    for (const signal of ['SIGUSR1', 'SIGTERM', 0]) {
      try {
        process.kill(target, signal);
      } catch (error) {
        refused = error;
      }
    }
  }
  throw refused;
};
