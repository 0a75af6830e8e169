import { describe, expect, it } from 'vitest';
import {
  ClusterStore,
  type EventBatch,
  type EventSource,
  type Snapshot,
  type StarkEvent,
  TopicFeed,
} from '../src/index.js';
import { contents, ModelDatabase } from './model-database.js';
import { Random } from './random.js';

const seeds = Array.from({ length: 100 }, (_, index) => index + 1);

/** The database behind a network that takes time and sometimes fails. */
class FlakySource implements EventSource {
  reads = 0;

  constructor(
    private readonly database: ModelDatabase,
    private readonly random: Random,
    private readonly errorShare: number,
  ) {}

  async snapshot(): Promise<Snapshot> {
    const seq = this.database.head;
    await this.#travel();
    const snapshot = this.database.snapshot(seq);
    await this.#travel();
    return snapshot;
  }

  async after(seq: number, limit: number): Promise<readonly StarkEvent[] | undefined> {
    await this.#travel();
    const events = this.database.after(seq, limit)?.map((event) => ({ ...event, object: { ...event.object } }));
    await this.#travel();
    return events;
  }

  async #travel(): Promise<void> {
    this.reads++;
    for (let turns = this.random.below(6); turns > 0; turns--) await Promise.resolve();
    if (this.random.chance(this.errorShare)) throw new Error('the network failed');
  }
}

describe('TopicFeed', () => {
  it.each(seeds)('ends as the database is, through loss, doubles, delays and failures (seed %i)', async (seed) => {
    const random = new Random(seed);
    const database = new ModelDatabase();
    const store = new ClusterStore();
    // Invariant: whatever the network does, each event is passed on once, in order, and none is left out.
    let expected = 0;
    const feed = new TopicFeed(new FlakySource(database, random, 0.1), {
      load: (snapshot) => {
        expected = Math.max(expected, snapshot.seq);
        store.load(snapshot);
      },
      apply: (events) => {
        for (const { seq } of events) expect(seq).toBe(++expected);
        store.applyEvents(events);
      },
    });
    const sync = () =>
      feed.sync().catch((error: Error) => {
        if (error.message !== 'the network failed') throw error;
      });
    const underWay: EventBatch[] = [];
    for (let step = 0; step < 80; step++) {
      database.step(random);
      const batch = database.batches.at(-1) as EventBatch;
      for (let copies = random.pick([0, 1, 1, 1, 1, 2]); copies > 0; copies--) underWay.push(batch);
      if (step >= 5 && feed.last === undefined) void sync();
      // Mostly in order, sometimes overtaken.
      while (underWay.length > random.below(4)) {
        const [next] = underWay.splice(random.chance(0.2) ? random.below(underWay.length) : 0, 1);
        if (!feed.receive(next as EventBatch)) void sync();
      }
      if (random.chance(0.05)) feed.forget();
      for (let turns = random.below(8); turns > 0; turns--) await Promise.resolve();
    }
    // The owner tries again until it succeeds, as the watch does.
    for (let attempt = 0; feed.last !== database.log.length && attempt < 100; attempt++) await sync();
    await sync();
    expect(contents(store)).toEqual(contents(database));
    expect(feed.last).toBe(database.log.length);
  });

  it.each(seeds)('ends as the database is that was restored to an earlier time (seed %i)', async (seed) => {
    const random = new Random(seed);
    const database = new ModelDatabase();
    const store = new ClusterStore();
    const feed = new TopicFeed(new FlakySource(database, random, 0), {
      load: (snapshot) => store.load(snapshot),
      apply: (events) => store.applyEvents(events),
    });
    const steps = async (count: number) => {
      for (; count > 0; count--) {
        database.step(random);
        const batch = database.batches.at(-1) as EventBatch;
        if (random.chance(0.8) && !feed.receive(batch)) await feed.sync();
      }
    };
    await steps(random.below(10));
    await feed.sync();
    const restore = database.backup();
    await steps(random.below(10));
    restore();
    await steps(1 + random.below(10));
    // The watch asks again every half minute.
    await feed.sync();
    expect(contents(store)).toEqual(contents(database));
    expect(feed.last).toBe(database.head);
  });

  it('learns of a restore from the first batch that comes after it', async () => {
    const random = new Random(1);
    const database = new ModelDatabase();
    const source = new FlakySource(database, random, 0);
    const feed = new TopicFeed(source, { load: () => {}, apply: () => {} });
    database.step(random);
    await feed.sync();
    const restore = database.backup();
    database.step(random);
    feed.receive(database.batches.at(-1) as EventBatch);
    restore();
    database.step(random);
    expect(feed.receive(database.batches.at(-1) as EventBatch)).toBe(false);
  });

  it('reads nothing while batches follow each other', async () => {
    const random = new Random(1);
    const database = new ModelDatabase();
    const source = new FlakySource(database, random, 0);
    const store = new ClusterStore();
    const feed = new TopicFeed(source, {
      load: (snapshot) => store.load(snapshot),
      apply: (events) => store.applyEvents(events),
    });
    await feed.sync();
    const before = source.reads;
    for (let step = 0; step < 50; step++) {
      database.step(random);
      expect(feed.receive(database.batches.at(-1) as EventBatch)).toBe(true);
    }
    expect(source.reads).toBe(before);
    expect(contents(store)).toEqual(contents(database));
  });

  it('passes on what follows events that it may not read', async () => {
    const database = new ModelDatabase();
    for (let count = 0; count < 5; count++) database.createPod();
    const blind: EventSource = { snapshot: async () => ({ seq: 0, rows: {} }), after: async () => [] };
    const passed: number[] = [];
    const feed = new TopicFeed(blind, {
      load: () => {},
      apply: (events) => passed.push(...events.map(({ seq }) => seq)),
    });
    await feed.sync();
    expect(feed.receive({ events: database.log.slice(4), previous_seq: 4 })).toBe(false);
    await feed.sync();
    expect(passed).toEqual([5]);
  });

  it('prefers a snapshot to very many missed events', async () => {
    const database = new ModelDatabase();
    let loads = 0;
    const source: EventSource = {
      snapshot: async () => database.snapshot(),
      after: async (seq, limit) => database.after(seq, limit),
    };
    const store = new ClusterStore();
    const load = (snapshot: Snapshot) => {
      loads++;
      store.load(snapshot);
    };
    const feed = new TopicFeed(source, { load, apply: (events) => store.applyEvents(events) });
    await feed.sync();
    for (let count = 0; count < 6000; count++) database.createPod();
    await feed.sync();
    expect(loads).toBe(2);
    expect(store.pods.size).toBe(6000);
  });
});
