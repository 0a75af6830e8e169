const MB = 1024 * 1024;
/** Browsers do not say how much memory there is beyond a rounded number of gigabytes, and some say nothing. */
const UNKNOWN_MEMORY_GB = 4;
const DEFAULT_PODS = 20;

/** What this browser offers when nobody said otherwise: millicores, MB, MB, a count. Half of the memory is the user's. */
export async function measureMachine(): Promise<Record<string, number>> {
  const { hardwareConcurrency, storage } = navigator;
  const { deviceMemory = UNKNOWN_MEMORY_GB } = navigator as { deviceMemory?: number };
  const { quota = 0, usage = 0 } = await storage.estimate();
  return {
    cpu: hardwareConcurrency * 1000,
    memory: Math.floor((deviceMemory * 1024) / 2),
    storage: Math.floor((quota - usage) / MB),
    pods: DEFAULT_PODS,
  };
}

/** What is true of this browser and may matter to a pack. Its walls are the browser's own: a worker in a frame without an origin. */
export function describeMachine(): Record<string, unknown> {
  return {
    userAgent: navigator.userAgent,
    language: navigator.language,
    isolation: { tier: 'browser', by: ['worker', 'frame'] },
  };
}
