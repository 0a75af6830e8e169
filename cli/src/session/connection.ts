import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchOver, type ProvingAgent, provenConnections } from '@stark-o/agent/known-stack';
import type { FunctionArgs, FunctionName, FunctionResult, StarkClient } from '@stark-o/core';
import { StarkError, toStarkError, usageError } from '@stark-o/core/errors';
import { backoffMs, formatDuration, jittered } from '@stark-o/core/model';
import type { Caller } from '@stark-o/core/resources';
import type { SupabaseClient } from '@supabase/supabase-js';
import { KnownStacksFile } from '../config/known-stacks.js';
import type { Settings } from '../config/settings.js';
import { debugFetch } from './debug-fetch.js';
import { SessionFile } from './sessions.js';
import { SignIn } from './sign-in.js';

/** A call waits four seconds for the cluster by itself, so this is half a minute in all. */
const BUSY_ATTEMPTS = 5;
const BUSY_PAUSES = { firstMs: 500, longestMs: 4_000 };

interface RetryingQuery {
  retry(enabled: boolean): PromiseLike<{ data: unknown; error: unknown; status: number }>;
}

/** Nobody can be talked to without a key: what to type depends on whether a place was named at all. */
function noCluster({ url, all }: Settings): StarkError {
  if (all.url.origin === 'default') {
    return new StarkError('there is no cluster yet: no context is in force, and no URL was given', {
      code: 'NO_CLUSTER',
      hint: 'stark up starts one on this machine; stark context set <name> --url <url> --key <publishable key> names another one',
    });
  }
  return usageError(
    `no key is known for ${url} (${all.url.origin})`,
    `stark context set <name> --url ${url} --key <publishable key>, or stark context use <name>`,
  );
}

type AnyRow = Record<string, unknown>;
interface AnySchema {
  Tables: Record<string, { Row: AnyRow; Insert: AnyRow; Update: AnyRow; Relationships: [] }>;
  Views: Record<string, never>;
  Functions: Record<string, { Args: AnyRow; Returns: AnyRow[] }>;
}

/** The client of a cluster, for tables and columns that are named at run time. */
export type UntypedClient = SupabaseClient<{ stark: AnySchema }, 'stark'>;

/** The way to one cluster: its client, its session, and the functions and tables of schema `stark`. */
export class Connection {
  readonly url: string;
  readonly key: string;
  readonly sessions: SessionFile;
  readonly signIn: SignIn;
  readonly correlationId = randomUUID();
  readonly fetch: typeof fetch;
  readonly knownStacks: KnownStacksFile;
  /** That somebody else answered in the cluster's place: the reason of whatever failed because of it. */
  refused: StarkError | undefined;
  readonly #connections: ProvingAgent | undefined;
  readonly #token: string | undefined;
  readonly #tokenOrigin: string;
  #client: Promise<StarkClient> | undefined;

  constructor(settings: Settings, debug: boolean) {
    this.url = settings.url;
    const { key } = settings;
    if (key === undefined) throw noCluster(settings);
    this.key = key;
    this.knownStacks = new KnownStacksFile(settings.configDirectory);
    this.#connections = provenConnections(settings.url, this.knownStacks, (error) => {
      this.refused = error;
    });
    const proven = this.#timed(fetchOver(this.#connections), settings.requestTimeoutMs);
    this.fetch = debug ? debugFetch(proven) : proven;
    const { configDirectory, context, url, legacyCredentials } = settings;
    this.sessions = new SessionFile(configDirectory, context, url, legacyCredentials);
    this.signIn = new SignIn(this.url, this.key, this.fetch);
    this.#token = settings.token;
    this.#tokenOrigin = settings.all.token.origin;
  }

  /** A fetch that waits no longer than this for an answer. */
  #timed(inner: typeof fetch, timeoutMs: number | undefined): typeof fetch {
    if (timeoutMs === undefined) return inner;
    return async (input, init) => {
      const over = AbortSignal.timeout(timeoutMs);
      const signal = init?.signal == null ? over : AbortSignal.any([init.signal, over]);
      try {
        return await inner(input, { ...init, signal });
      } catch (cause) {
        if (!over.aborted) throw cause;
        this.refused = new StarkError(
          `no answer from ${this.url} within ${timeoutMs < 1000 ? `${timeoutMs}ms` : formatDuration(timeoutMs)}`,
          {
            code: 'UNREACHABLE',
            hint: 'give it longer with --request-timeout, or see stark doctor',
            cause,
          },
        );
        throw this.refused;
      }
    };
  }

  /** The error as it is to be told: who really answered, and which token it was that was not accepted. */
  explain(error: Error): Error {
    if (this.refused !== undefined) return this.refused;
    if (this.#token === undefined || !(error instanceof StarkError) || error.code !== 'NOT_SIGNED_IN') return error;
    return new StarkError(`${this.url} does not accept STARK_TOKEN: ${error.message}`, {
      code: 'NOT_SIGNED_IN',
      status: error.status,
      hint: 'unset STARK_TOKEN, then stark auth login',
      cause: error,
    });
  }

  /** The token to work with: STARK_TOKEN, else that of the session, renewed when its time is up. */
  async accessToken(): Promise<string> {
    if (this.#token !== undefined) {
      if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(this.#token)) return this.#token;
      throw new StarkError(`the access token (${this.#tokenOrigin}) is none: it has to be a JWT`, {
        code: 'INVALID_CREDENTIALS',
        hint: 'unset STARK_TOKEN, then stark auth login',
      });
    }
    const session = await this.sessions.fresh((refreshToken) => this.signIn.refresh(refreshToken));
    if (session === undefined) {
      throw new StarkError(`not signed in at ${this.url}`, { code: 'NOT_SIGNED_IN', hint: 'stark auth login' });
    }
    return session.accessToken;
  }

  /** The client, made on first use. Fails with NOT_SIGNED_IN before anything is sent when there is no session. */
  async starkClient(): Promise<StarkClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  /** The same for reading columns that are listed in arrays, which the types of supabase-js cannot follow. */
  async client(): Promise<UntypedClient> {
    return (await this.starkClient()) as unknown as UntypedClient;
  }

  /** `call`, as a function to pass on. */
  readonly caller: Caller = (fn, args) => this.#call(fn, args);

  /** Calls a function of schema `stark`. */
  call<F extends FunctionName>(
    fn: F,
    ...[args]: Record<string, never> extends FunctionArgs<F> ? [args?: FunctionArgs<F>] : [args: FunctionArgs<F>]
  ): Promise<FunctionResult<F>> {
    return this.#call(fn, args);
  }

  /** Again where the cluster was busy, which means that nothing was done. */
  async #call<F extends FunctionName>(fn: F, args: FunctionArgs<F> | undefined): Promise<FunctionResult<F>> {
    const [{ call }, client] = await Promise.all([import('@stark-o/core'), this.starkClient()]);
    for (let attempt = 0; ; attempt++) {
      try {
        return await call(client, fn, args);
      } catch (error) {
        const failure = this.#named(error);
        if (failure.code !== 'CLUSTER_BUSY' || attempt + 1 === BUSY_ATTEMPTS) throw failure;
        await sleep(jittered(backoffMs(attempt, BUSY_PAUSES)));
      }
    }
  }

  /** Waits for an answer of PostgREST and gives its rows, or throws what went wrong. */
  async rows<T>(query: RetryingQuery): Promise<T[]> {
    // The client would try again for seven seconds; a person who waits at a prompt wants to know at once.
    const { data, error, status } = await query.retry(false);
    if (error) throw toStarkError(error, { status, url: this.url });
    return (data ?? []) as T[];
  }

  // core does not know where its client points to; a person with several clusters wants to.
  #named(error: unknown): StarkError {
    const failure = toStarkError(error, { url: this.url });
    if (failure.code !== 'UNREACHABLE') return failure;
    const { code, hint, details, status } = failure;
    const message = failure.message.replace('the control plane', this.url);
    return new StarkError(message, { code, hint, details, status, cause: failure.cause });
  }

  async #connect(): Promise<StarkClient> {
    await this.accessToken();
    const [{ createStarkClient }, { webSocketOver }] = await Promise.all([
      import('@stark-o/core'),
      import('@stark-o/agent/known-web-socket'),
    ]);
    return createStarkClient({
      url: this.url,
      key: this.key,
      accessToken: () => this.accessToken(),
      correlationId: this.correlationId,
      fetch: this.fetch,
      realtime: { transport: webSocketOver(this.#connections) },
    });
  }
}
