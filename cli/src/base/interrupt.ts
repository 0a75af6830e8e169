type Handler = (signal: NodeJS.Signals) => void;

const handlers: Handler[] = [];
let seen = 0;

/**
 * Runs when the person presses Ctrl-C (or the process is told to end) while something long is going on. Without any
 * handler the process ends at once with 130; a second Ctrl-C always does.
 */
export function onInterrupt(handler: Handler): () => void {
  handlers.push(handler);
  return () => {
    const index = handlers.indexOf(handler);
    if (index >= 0) handlers.splice(index, 1);
  };
}

/** An AbortSignal that fires on Ctrl-C, for as long as `dispose` was not called. */
export function interruptSignal(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const dispose = onInterrupt(() => controller.abort());
  return { signal: controller.signal, dispose };
}

/** Takes over SIGINT and SIGTERM. Called once, by main. */
export function installInterrupt(exit: (code: number) => void = (code) => process.exit(code)): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      seen++;
      if (seen > 1 || handlers.length === 0) exit(signal === 'SIGINT' ? 130 : 143);
      else for (const handler of [...handlers].reverse()) handler(signal);
    });
  }
}
