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

const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Takes over SIGINT, SIGTERM, and SIGHUP, which a terminal that is closed sends. Called once, by main. */
export function installInterrupt(exit: (code: number) => void = (code) => process.exit(code)): void {
  for (const [signal, code] of Object.entries(codes) as [keyof typeof codes, number][]) {
    process.on(signal, () => {
      // A closing terminal says it several times, and systemd beside SIGTERM: nobody is impatient there.
      if (signal === 'SIGHUP' && seen > 0) return;
      seen++;
      if (seen > 1 || handlers.length === 0) exit(code);
      else for (const handler of [...handlers].reverse()) handler(signal);
    });
  }
}

let outlives = false;

/** What runs now is worth more than what it prints: it goes on when the reader of its output ends. */
export function outliveOutput(): void {
  outlives = true;
}

/**
 * What the loss of an output means. Without its error output a command goes on in silence. Without its data it ends: well when the
 * reader has seen enough (`| head -1`), else as `fail` says it.
 */
export function installOutputErrors(fail: (error: NodeJS.ErrnoException) => void): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (outlives) return;
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    fail(error);
  });
}
