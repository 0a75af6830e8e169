import { isTerminal } from '@stark-o/core/model';
import { describe, expect, it } from 'vitest';
import { BundleError } from '../src/reconciler/adapters.js';
import type { PodReport, WantedPod } from '../src/reconciler/pod.js';
import { Reconciler } from '../src/reconciler/reconciler.js';
import { FakeClock, settle } from './support/fake-clock.js';
import { FakeNode } from './support/fake-node.js';
import { memoryLog } from './support/log.js';
import { PodLedger } from './support/pod-ledger.js';
import { aPod } from './support/pods.js';
import { Random } from './support/random.js';

const SEEDS = 150;
const STEPS = 120;

/** A node, its cluster, and everything between them that can go wrong. */
class World {
  readonly clock: FakeClock;
  readonly ledger = new PodLedger();
  node: FakeNode;
  reconciler: Reconciler;
  /** A few reports come to nothing, as if wrongly refused. */
  loss = 0.03;
  /** Pods about which the cluster or the node was told something wrong; only the others can be promised a single run. */
  readonly misled = new Set<string>();
  /** Reports in the outbox: delivered in order, late, sometimes twice. */
  outbox: PodReport[] = [];
  /** A snapshot that was asked for and has not arrived yet. */
  underway: WantedPod[] | undefined;
  /** How often each pod was launched, over all lives of the agent. */
  readonly launches = new Map<string, number>();
  #life = 0;

  constructor(readonly random: Random) {
    this.clock = new FakeClock(random);
    this.node = this.#newNode();
    this.reconciler = this.#newReconciler();
  }

  async step(): Promise<void> {
    const { random, ledger } = this;
    const ids = [...ledger.pods.keys()];
    const roll = random.below(100);
    if (roll < 10 && ids.length < 12) this.#create();
    else if (roll < 15 && ids.length > 0) ledger.stop(random.pick(ids));
    else if (roll < 18 && ids.length > 0) ledger.evict(random.pick(ids));
    else if (roll < 35) this.#sync();
    else if (roll < 54) this.deliver(random.below(4));
    else if (roll < 72) this.#processEvent();
    else if (roll < 74 && ids.length > 0) this.#hide(random.pick(ids));
    else if (roll < 76) ledger.hidden.clear();
    else if (roll < 78) this.node.fetchMs = random.pick([0, 0, 700, 9_000]);
    else if (roll < 92) await this.clock.advance(random.below(5_000));
    else if (roll < 95)
      this.node.bundleError = random.chance(0.5) ? new BundleError('BundleUnavailable', 'x', true) : undefined;
    else if (roll < 97) this.node.stopsBy = random.chance(0.5) ? 'itself' : 'force';
    else await this.restart(random.chance(0.5));
    await settle();
    this.#check();
  }

  /** Everything works again: after some rounds the node must be what the ledger wants. */
  async calmDown(): Promise<void> {
    this.loss = 0;
    this.node.bundleError = undefined;
    this.node.stopsBy = 'itself';
    this.node.fetchMs = 0;
    this.ledger.hidden.clear();
    for (let round = 0; round < 40; round++) {
      this.deliver(this.outbox.length);
      this.reconciler.apply(this.ledger.snapshot());
      await this.clock.advance(20_000);
      for (const run of this.node.runs.filter((one) => one.alive && !one.stopAsked)) run.start();
      await settle();
      this.#check();
    }
    this.deliver(this.outbox.length);
  }

  /** The agent dies and comes back; politely, or by kill -9. Either way its outbox is delivered before it connects. */
  async restart(politely: boolean): Promise<void> {
    if (politely) {
      const closing = this.reconciler.close();
      await this.clock.advance(15_000);
      await closing;
    }
    this.node.die();
    this.#life += 1;
    this.deliver(this.outbox.length);
    const { violations } = this.node;
    this.node = this.#newNode();
    this.node.violations.push(...violations);
    this.reconciler = this.#newReconciler();
    this.underway = undefined;
    this.reconciler.apply(this.ledger.snapshot());
  }

  deliver(count: number): void {
    for (const report of this.outbox.splice(0, count)) {
      if (this.random.chance(this.loss)) {
        this.misled.add(report.pod_id);
        continue;
      }
      this.ledger.report(report);
      if (this.random.chance(0.2)) this.ledger.report(report);
    }
  }

  // Snapshots may be old when they arrive, but arrive in order, and some are asked for again and again.
  #sync(): void {
    if (this.underway !== undefined) {
      this.reconciler.apply(this.underway);
      if (this.random.chance(0.2)) this.reconciler.apply(this.underway);
    }
    this.underway = this.random.chance(0.7) ? this.ledger.snapshot() : undefined;
  }

  #hide(id: string): void {
    this.ledger.hidden.add(id);
    this.misled.add(id);
  }

  #create(): void {
    const restartPolicy = this.random.pick(['Always', 'OnFailure', 'Never'] as const);
    this.ledger.place(aPod({ spec: { restartPolicy, terminationGracePeriodSeconds: 5 } }));
  }

  #processEvent(): void {
    const alive = this.node.runs.filter((run) => run.alive);
    if (alive.length === 0) return;
    const run = this.random.pick(alive);
    if (this.random.chance(0.6)) run.start();
    else if (this.random.chance(0.5)) run.exit();
    else run.exit({ exitCode: 1, reason: 'Error' });
  }

  #check(): void {
    expect(this.node.violations).toEqual([]);
    for (const pod of this.ledger.pods.values()) {
      // Once Postgres knows the end of a pod from this node, nothing of it may start again.
      if (isTerminal(pod.status) && pod.status !== 'evicted') {
        expect(this.node.alive(pod.id), `${pod.id} is ${pod.status} and runs`).toEqual([]);
      }
    }
  }

  #newNode(): FakeNode {
    const node = new FakeNode(this.clock, this.random.pick([1, 2, undefined]));
    const launch = node.launch.bind(node);
    const life = this.#life;
    node.launch = (request, listener) => {
      // A download that outlived its agent in this test starts nothing in reality.
      if (life !== this.#life) return { stop: () => {} };
      this.launches.set(request.pod.id, (this.launches.get(request.pod.id) ?? 0) + 1);
      return launch(request, listener);
    };
    return node;
  }

  #newReconciler(): Reconciler {
    const { node, clock } = this;
    const life = this.#life;
    // What a dead agent still had in mind does not happen.
    const mortal = (callback: () => void) => () => {
      if (life === this.#life) callback();
    };
    return new Reconciler({
      clock: {
        now: () => clock.now(),
        heard: () => {},
        after: (ms, callback) => clock.after(ms, mortal(callback)),
        random: () => clock.random(),
      },
      bundles: node.bundles,
      executor: node,
      ports: node,
      log: memoryLog(),
      reports: {
        report: (report) => mortal(() => this.outbox.push(report))(),
        hasPending: (id) => this.outbox.some((report) => report.pod_id === id),
      },
    });
  }
}

describe('the reconciler, whatever is lost, doubled, late or restarted', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i', async (seed) => {
    const world = new World(new Random(seed));
    for (let n = 0; n < STEPS; n++) await world.step();
    await world.calmDown();

    for (const pod of world.ledger.pods.values()) {
      const alive = world.node.alive(pod.id).length;
      if (isTerminal(pod.status)) {
        expect(alive, `${pod.id} is ${pod.status}`).toBe(0);
      } else {
        expect([pod.status, alive], `${pod.id} (${pod.spec.restartPolicy})`).toEqual(['running', 1]);
      }
      if (pod.spec.restartPolicy === 'Never' && !world.misled.has(pod.id))
        expect(world.launches.get(pod.id) ?? 0).toBeLessThanOrEqual(1);
    }
  });
});
