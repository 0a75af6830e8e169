import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { kindNamed } from '@stark-o/core/kinds';
import { parseDuration } from '@stark-o/core/model';
import type { PodRow } from '@stark-o/core/resources';
import { bareName, targetsOf } from '../../base/argv.js';
import { StarkCommand } from '../../base/command.js';
import { namespaceFlag, optionalWords, selectorFlag } from '../../base/flags.js';
import { interruptSignal } from '../../base/interrupt.js';
import { toJson, toYaml, writeData } from '../../base/output.js';
import { say } from '../../base/terminal.js';
import { waitFor } from '../../base/wait.js';
import { followDeployments, podsOf } from '../../data/deployment-logs.js';
import { findDeployments } from '../../data/deployments.js';
import { type LogLine, LogReader, type LogSelection, logText } from '../../data/logs.js';
import { findPods } from '../../data/pods.js';

// How long --follow waits for a pod that is not there yet.
const appearMs = 300_000;

export default class PodLogs extends StarkCommand<typeof PodLogs> {
  static override summary = 'Show what pods printed.';
  static override description =
    'All runs of a pod are shown, one after the other. With --follow it waits for a pod that does not exist yet, shows lines as they come until the pods have ended, and ends with 0 on Ctrl-C. Of a deployment it shows all pods, with --follow those too that come later, until the deployment is gone. JSON is one object a line.';
  static override examples = [
    '<%= config.bin %> pod logs alpha-x1y2z --tail 20 --timestamps',
    '<%= config.bin %> pod logs deployment/web --follow --since 5m',
  ];
  static override args = { what: optionalWords('Name of a pod, or deployment/NAME; several may be given.') };
  static override flags = {
    ...namespaceFlag,
    ...selectorFlag,
    follow: Flags.boolean({ char: 'f', summary: 'Go on as lines come.' }),
    tail: Flags.integer({ summary: 'Only the last lines.', min: 0, helpValue: '<lines>' }),
    since: Flags.string({ summary: 'Only lines younger than this, e.g. 10m.', helpValue: '<duration>' }),
    previous: Flags.boolean({
      char: 'p',
      summary: 'Only the run before the last restart.',
      exclusive: ['follow'],
    }),
    timestamps: Flags.boolean({ summary: 'When each line was printed.' }),
  };

  async run(): Promise<void> {
    const words = this.args.what ?? [];
    const deployments = words.filter((word) => kindNamed(word.split('/')[0] ?? '') === 'deployment');
    const ofDeployments = deployments.some((word) => word.includes('/'));
    const pods = ofDeployments ? [] : await this.#pods(words.map((word) => bareName('pod', word)));
    const connection = await this.connection();
    const { signal, dispose } = interruptSignal();
    const since = this.flags.since;
    const selection = {
      tail: this.flags.tail,
      previous: this.flags.previous,
      since: since === undefined ? undefined : new Date(Date.now() - parseDuration(since)).toISOString(),
    };
    let printing = Promise.resolve();
    const print = (lines: LogLine[]) => {
      // One pod after the other: lines of two pods never mix inside a line.
      printing = printing.then(() => this.#print(lines, ofDeployments || pods.length > 1));
      return printing;
    };
    try {
      if (ofDeployments) return await this.#deployments(words, selection, print, signal);
      const readers = pods.map((pod) => new LogReader(connection, pod));
      for (const reader of readers) for await (const lines of reader.stored(selection)) await print(lines);
      if (!this.flags.follow) return;
      // The reader of our output may have closed it: then following ends.
      const unread = new AbortController();
      const until = AbortSignal.any([signal, unread.signal]);
      const show = (lines: LogLine[]) => void print(lines).catch(() => unread.abort());
      await Promise.all(readers.map((reader) => reader.follow(until, show)));
      await printing;
      if (!signal.aborted) await this.#sayOutcome(pods);
    } finally {
      dispose();
    }
  }

  async #deployments(
    words: readonly string[],
    selection: LogSelection,
    print: (lines: LogLine[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const [target, ...others] = targetsOf(words);
    if (target === undefined || others.length > 0) throw usageError('pods or deployments, not both at once');
    if (this.flags.selector !== undefined) throw usageError('name the deployments, or give --selector');
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const found = await findDeployments(connection, { namespace, names: target.names });
    if (this.flags.follow) return followDeployments(connection, found, { selection, print, signal });
    const ids = found.map(({ id }) => id);
    for (const pod of await podsOf(connection, ids)) {
      if (selection.previous && pod.restarts === 0 && pod.status_reason !== 'CrashLoopBackOff') continue;
      for await (const lines of new LogReader(connection, pod).stored(selection)) await print(lines);
    }
  }

  async #pods(names: string[]): Promise<PodRow[]> {
    const byName = names.length > 0;
    const wanted = byName ? names : undefined;
    const { selector } = this.flags;
    if (byName === (selector !== undefined)) throw usageError('name the pods, or give --selector');
    const { namespace } = await this.settings();
    const connection = await this.connection();
    if (!this.flags.follow) return findPods(connection, { namespace, names: wanted, selector });
    return waitFor({
      poll: () => findPods(connection, { namespace, names: wanted, selector, allowMissing: true }),
      judge: (pods) => {
        if (pods.length >= (wanted?.length ?? 1)) return { done: true };
        return {
          waiting: `waiting for ${wanted !== undefined ? wanted.join(', ') : `a pod with ${selector}`} to appear`,
        };
      },
      timeoutMs: appearMs,
      resume: 'stark pod list',
    });
  }

  async #print(lines: readonly LogLine[], prefix: boolean): Promise<void> {
    const format = await this.format();
    if (format === 'json') await writeData(lines.map((line) => `${toJson(line)}\n`).join(''));
    else if (format === 'yaml') for (const line of lines) await writeData(`---\n${await toYaml(line)}`);
    else {
      const { timestamps } = this.flags;
      await writeData(lines.map((line) => `${logText(line, { prefix, timestamps })}\n`).join(''));
    }
  }

  async #sayOutcome(pods: readonly PodRow[]): Promise<void> {
    const connection = await this.connection();
    const names = pods.map(({ id }) => id);
    for (const pod of await findPods(connection, { names, allowMissing: true })) {
      const exit = pod.exit_code === null ? '' : `, exit code ${pod.exit_code}`;
      say(`pod ${pod.name} ${pod.status}${exit}`);
    }
  }
}
