/** Time and chance, so that tests hold both in their hands. */
export interface Clock {
  now(): number;
  /** It was `time` in the cluster at some moment between `askedAt` and now. */
  heard(time: number, askedAt: number): void;
  /** Calls back once after `ms`; the answer cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** A number in [0, 1). */
  random(): number;
}
