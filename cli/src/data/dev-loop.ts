import { setTimeout as sleep } from 'node:timers/promises';
import { StarkError, usageError } from '@stark-o/core/errors';
import type { DeploymentTemplate } from '@stark-o/core/model';
import type { DeploymentRow, PodRow } from '@stark-o/core/resources';
import { Progress } from '../base/progress.js';
import { makePack } from '../bundle/make-pack.js';
import { requireRuntime } from '../bundle/manifest.js';
import { labelOf } from '../init/files.js';
import type { Connection } from '../session/connection.js';
import { findDeployments } from './deployments.js';
import type { DevProject } from './dev-project.js';
import { findPods } from './pods.js';
import { registerVersion } from './register-version.js';

/** The label of deployments that are changed and deleted here; others of the same name are somebody's. */
const MADE_HERE = 'stark/dev';
/** How often it is looked whether a change runs. */
const LOOK_MS = 100;
/** How long a change may take to run before the loop goes on without a word of it. */
const LONGEST_MS = 60_000;

/** What became of one change. */
export interface Turn {
  pack: string;
  version: string;
  deployment: string;
  pod: PodRow;
  /** From the change to its running. */
  tookMs: number;
}

/** A project whose every change is a version of its own, rolled to a deployment of its own. */
export class DevLoop {
  readonly #connection: Connection;
  readonly #project: DevProject;
  readonly #namespace: string;
  #lastSum: string | undefined;
  #deployment: DeploymentRow | undefined;
  #versions: { pack: string; version: string }[] = [];

  constructor(connection: Connection, project: DevProject, namespace: string) {
    this.#connection = connection;
    this.#project = project;
    this.#namespace = namespace;
  }

  /** The deployment that runs the changes, once there is one. */
  get deployment(): DeploymentRow | undefined {
    return this.#deployment;
  }

  /** Bundles the project and has it run; nothing where its bytes are those that run already. */
  async turn(began: number, signal: AbortSignal): Promise<Turn | undefined> {
    const { source, said, fallbackName, template } = this.#project;
    const made = await makePack(source, { runtime: said.runtime, minify: false, progress: new Progress() });
    if (made.bundle.sha256 === this.#lastSum) return undefined;
    const about = { ...made.about, ...said };
    const name = about.name ?? fallbackName;
    const version = devVersion(about.version ?? '0.0.0');
    const runtime = requireRuntime(about.runtime, source);
    const bundle = { about: { ...about, name, version, runtime }, bytes: made.bundle.code, assets: made.bundle.assets };
    await registerVersion(this.#connection, bundle, new Progress());
    this.#versions.push({ pack: name, version });
    this.#deployment = await this.#roll(name, version, template(name));
    this.#lastSum = made.bundle.sha256;
    const pod = await this.#running(this.#deployment, version, signal);
    // Nobody shall get what was only tried.
    await this.#withdraw(this.#versions.splice(0, this.#versions.length - 1));
    return { pack: name, version, deployment: this.#deployment.name, pod, tookMs: performance.now() - began };
  }

  /** Takes everything away that it has made. */
  async end(): Promise<void> {
    const { name } = this.#deployment ?? {};
    const at = { p_namespace: this.#namespace };
    if (name !== undefined) await this.#connection.call('delete_deployment', { ...at, p_name: name, p_force: false });
    await this.#withdraw(this.#versions.splice(0));
  }

  async #roll(pack: string, version: string, template: DeploymentTemplate | undefined): Promise<DeploymentRow> {
    const name = `${labelOf(pack).slice(0, 42)}-dev`;
    const namespace = this.#namespace;
    const [there] = await findDeployments(this.#connection, { namespace, names: [name], allowMissing: true });
    if (there !== undefined && (there.pack_name !== pack || there.labels[MADE_HERE] === undefined)) {
      const what = there.pack_name === pack ? 'was not made by stark dev' : `is of pack ${there.pack_name}`;
      throw usageError(`deployment ${name} ${what}`, `stark describe deployment/${name}`);
    }
    const shape = {
      // Both at once where that is possible: the old one may take its time to stop.
      strategy: hasFixedPorts(template) ? { type: 'Recreate' as const } : { maxSurge: 1, maxUnavailable: 0 },
      ...{ minReadySeconds: 0, autoRollback: false, revisionHistoryLimit: 1, replicas: 1 },
      ...(template !== undefined && { template }),
    };
    return there === undefined
      ? this.#connection.call('create_deployment', {
          p_deployment: { name, namespace, pack, version, labels: { [MADE_HERE]: 'true' }, ...shape },
        })
      : this.#connection.call('update_deployment', {
          p_namespace: namespace,
          p_name: name,
          p_changes: { version, ...shape },
        });
  }

  /** The pod of this version, when it runs; what keeps it from that is an error. */
  async #running({ id, name }: DeploymentRow, version: string, signal: AbortSignal): Promise<PodRow> {
    const deadline = Date.now() + LONGEST_MS;
    let last: PodRow | undefined;
    const progress = new Progress();
    while (Date.now() < deadline && !signal.aborted) {
      const pods = await findPods(this.#connection, { equal: { deployment_id: id, version } });
      const running = pods.find((pod) => pod.status === 'running' && pod.ready);
      if (running !== undefined) {
        progress.clear();
        return running;
      }
      const crashed = pods.find((pod) => pod.status_reason === 'CrashLoopBackOff' || pod.status === 'failed');
      if (crashed !== undefined) throw notRunning(crashed, name);
      last = pods[0] ?? last;
      if (last?.status_message != null) progress.now(`${last.name} is ${last.status}: ${last.status_message}`);
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
    throw notRunning(last, name);
  }

  async #withdraw(versions: readonly { pack: string; version: string }[]): Promise<void> {
    for (const { pack, version } of versions) {
      await this.#connection.call('withdraw_pack_version', { p_name: pack, p_version: version });
    }
  }
}

/** A version below the one that the project will release, and above those of earlier changes. */
function devVersion(base: string): string {
  const [release = ''] = base.split('+');
  return `${release}${release.includes('-') ? '.' : '-'}dev.${Date.now()}`;
}

const hasFixedPorts = (template: DeploymentTemplate | undefined) =>
  template?.spec?.ports?.some(({ port }) => port !== undefined) ?? false;

function notRunning(pod: PodRow | undefined, deployment: string): StarkError {
  const why =
    pod === undefined ? '' : `: ${[pod.status, pod.status_reason, pod.status_message].filter(Boolean).join(', ')}`;
  return new StarkError(`the change does not run${why}`, {
    code: 'POD_FAILED',
    hint: pod === undefined ? `stark describe deployment/${deployment}` : `stark describe pod/${pod.name}`,
  });
}
