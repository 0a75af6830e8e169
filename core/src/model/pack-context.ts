import type { SupabaseClient } from '@supabase/supabase-js';
import type { JsonObject } from './json.js';

/**
 * Writes one log line of the pod, the fields as JSON behind the message. Errors, maps, sets and what else JSON has no word for are
 * kept as well as it can hold them; an error in place of the fields is the field `err`.
 */
export type PackLogMethod = (message: string | Error, fields?: Record<string, unknown> | Error) => void;

/** The four levels a pack logs at. What a pack prints with `console` is captured too, without a level. */
export interface PackLog {
  readonly debug: PackLogMethod;
  readonly info: PackLogMethod;
  readonly warn: PackLogMethod;
  readonly error: PackLogMethod;
}

/**
 * Durable key/value data of this pod on this node: it outlives a restart of the pod, not its removal.
 * Values are JSON. A write is on disk once its promise has resolved.
 */
export interface PackStorage {
  /** The value stored under `key`, or `undefined` when there is none. */
  get<T = unknown>(key: string): Promise<T | undefined>;
  set(key: string, value: unknown): Promise<void>;
  /** Removes `key`; removing a missing key is no error. */
  delete(key: string): Promise<void>;
  /** The stored keys in alphabetical order, those starting with `prefix` when it is given. */
  keys(prefix?: string): Promise<string[]>;
}

/**
 * The files that travel with a bundle: on Node.js the folder that they are in, which nobody may write; in a browser tab the address
 * of each, by its name from the project's folder.
 */
export type PackAssets = string | Readonly<Record<string, string>>;

/**
 * Everything a pack sees of the platform, the same on Node.js and in a browser tab.
 * `Config` is the shape of the settings the pack expects; the platform hands over what the pod's spec says, unchecked.
 */
export interface PackContext<Config = JsonObject> {
  readonly pod: {
    readonly id: string;
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly pack: { readonly name: string; readonly version: string };
  readonly node: { readonly name: string };
  readonly log: PackLog;
  /** `spec.config` of the pod. */
  readonly config: Readonly<Config>;
  /** `spec.env` of the pod; nothing is inherited from the machine. */
  readonly env: Readonly<Record<string, string>>;
  /** The port to listen on for each port the pod declares, by its name, e.g. `ports.http`. Empty in a browser tab. */
  readonly ports: Readonly<Record<string, number>>;
  readonly storage: PackStorage;
  /** Missing where nothing travels with the bundle. */
  readonly assets?: PackAssets | undefined;
  readonly fetch: typeof fetch;
  /**
   * A client of the cluster's Supabase project, made at the first call. It holds the publishable key and nobody's session:
   * what it may do is what policies allow to `anon`, until the pack signs in with it.
   */
  supabase(): Promise<SupabaseClient>;
  /** Aborted when the pod should end: finish within the pod's grace period, then return. */
  readonly signal: AbortSignal;
  /** Says that the pod can serve now. It counts where the spec asks for it (`readinessProbe.packReady`); calling it twice is fine. */
  ready(): void;
  /**
   * Tells a number about this pod: how long its queue is, how many requests it serves. Autoscalers of its deployment follow it by its name, a
   * letter, then letters, digits, `_` and `-`; a pod has at most ten. The last value counts until another one is told, or the run ends.
   */
  metric(name: string, value: number): void;
}

/**
 * What a bundle exports by default. A promise that resolves ends the pod as `succeeded`, one that rejects as `failed`;
 * a service therefore returns only after `ctx.signal` was aborted.
 */
export type Pack<Config = JsonObject> = (ctx: PackContext<Config>) => void | Promise<void>;
