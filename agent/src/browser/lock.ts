/** Takes a lock of this browser's origin; undefined when somebody else still has it after `waitMs`. It ends with its tab. */
export async function takeLock(name: string, waitMs: number): Promise<(() => void) | undefined> {
  const options: LockOptions = waitMs > 0 ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true };
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, options, (lock) => {
        if (lock === null) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch((error: Error) => {
        if (error.name === 'TimeoutError') resolve(undefined);
        else reject(error);
      });
  });
}
