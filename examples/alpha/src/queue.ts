import { EventEmitter, once } from 'node:events';
import type { PackStorage } from '@stark-o/core';
import type { FinishedJob, Job } from './job.js';

/** Everything that outlives a restart. */
interface Saved {
  nextId: number;
  starts: number;
  finished: number;
  waiting: Job[];
  recent: FinishedJob[];
}

const KEY = 'queue';

/** A job queue kept in the pod's storage: a job leaves it only when its result is stored, so none is lost. */
export class Queue {
  #state: Saved;
  readonly #added = new EventEmitter();
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly storage: PackStorage,
    private readonly keep: number,
    state: Saved,
  ) {
    this.#state = state;
  }

  /** Opens the stored queue, or a new one, and counts the start. */
  static async open(storage: PackStorage, keep: number): Promise<Queue> {
    const empty: Saved = { nextId: 1, starts: 0, finished: 0, waiting: [], recent: [] };
    const state = (await storage.get<Saved>(KEY)) ?? empty;
    const queue = new Queue(storage, keep, { ...state, starts: state.starts + 1 });
    await queue.#save();
    return queue;
  }

  get state(): Readonly<Saved> {
    return this.#state;
  }

  /** Adds a job; it is on disk when the promise resolves. */
  async add(text: string): Promise<Job> {
    const job = { id: this.#state.nextId, text, addedAt: new Date().toISOString() };
    this.#state = { ...this.#state, nextId: job.id + 1, waiting: [...this.#state.waiting, job] };
    await this.#save();
    this.#added.emit('added');
    return job;
  }

  /** The oldest waiting job, as soon as there is one; undefined when `signal` was aborted. */
  async next(signal: AbortSignal): Promise<Job | undefined> {
    while (!signal.aborted) {
      const job = this.#state.waiting[0];
      if (job) return job;
      // Rejects only because of the signal, and then the loop ends.
      await once(this.#added, 'added', { signal }).catch(() => {});
    }
    return undefined;
  }

  /** Takes the job out of the queue and keeps its result. */
  async finish(result: FinishedJob): Promise<void> {
    this.#state = {
      ...this.#state,
      finished: this.#state.finished + 1,
      waiting: this.#state.waiting.filter(({ id }) => id !== result.id),
      recent: [result, ...this.#state.recent].slice(0, this.keep),
    };
    await this.#save();
  }

  // One write at a time, so that an older state never lands on a newer one.
  #save(): Promise<void> {
    this.#saving = this.#saving.catch(() => {}).then(() => this.storage.set(KEY, this.#state));
    return this.#saving;
  }
}
