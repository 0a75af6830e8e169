import { createHash } from 'node:crypto';
import { call, createStarkClient, type Pod, type StarkClient } from '@stark-o/core';
import type { TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

export const ADMIN = { email: 'admin@example.com', password: 'correct-horse-battery' };

/** Each wait alone: where a machine runs other tests beside, agents are as slow as it is. */
export const DEADLINE_MS = 60_000;

/** A stack with its admin, as the admin sees it. */
export class Cluster {
  private constructor(
    readonly test: TestStack,
    readonly client: StarkClient,
  ) {}

  static async setUp(test: TestStack): Promise<Cluster> {
    const { url, keys } = test.stack;
    const response = await fetch(`${url}/functions/v1/api/auth/setup`, {
      method: 'POST',
      headers: { apikey: keys.secret, 'content-type': 'application/json' },
      body: JSON.stringify({ ...ADMIN, display_name: 'Admin' }),
    });
    if (!response.ok) throw new Error(`setting up the admin: ${response.status} ${await response.text()}`);
    return new Cluster(test, await signIn(test, ADMIN));
  }

  /** Somebody else with this role in the whole cluster, signed in. */
  async person(name: string, role: string): Promise<StarkClient> {
    const { url, keys } = this.test.stack;
    const account = { email: `${name}@example.com`, password: ADMIN.password };
    const response = await fetch(`${url}/auth/v1/admin/users`, {
      method: 'POST',
      headers: { apikey: keys.secret, 'content-type': 'application/json' },
      body: JSON.stringify({ ...account, email_confirm: true }),
    });
    if (!response.ok) throw new Error(`making ${name}: ${response.status} ${await response.text()}`);
    const { id } = (await response.json()) as { id: string };
    await call(this.client, 'grant_role', { p_user_id: id, p_role: role });
    return signIn(this.test, account);
  }

  /** Registers and uploads a bundle; what is uploaded may differ from what is registered. */
  async pack(name: string, source: string, uploaded = source, runtime = 'node', as = this.client): Promise<void> {
    const bytes = Buffer.from(source);
    const place = await call(as, 'register_pack_version', {
      p_name: name,
      p_version: '1.0.0',
      p_runtime: runtime,
      p_size_bytes: bytes.length,
      p_sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    const { error } = await as.storage
      .from(place.bucket)
      .upload(place.path, Buffer.from(uploaded), { contentType: 'text/javascript' });
    if (error) throw error;
    await call(as, 'finish_pack_version', { p_version_id: place.version_id });
  }

  async createPod(pack: string, spec: object = {}): Promise<string> {
    const created = (await call(this.client, 'create_pods', { p_pods: [{ pack, spec }] })) as unknown as Pod[];
    return (created[0] as Pod).id;
  }

  async pod(id: string): Promise<Pod | undefined> {
    const { data, error } = await this.client.from('pods').select('*').eq('id', id).maybeSingle();
    if (error) throw error;
    return (data as unknown as Pod | null) ?? undefined;
  }

  /** Waits for a pod that is as `holds` says. */
  podThat(what: string, id: string, holds: (pod: Pod) => boolean, deadlineMs = DEADLINE_MS): Promise<Pod> {
    let last: Pod | undefined;
    return waitFor(
      `pod ${id} to be ${what}`,
      async () => {
        last = await this.pod(id);
        return last !== undefined && holds(last) ? last : undefined;
      },
      { deadlineMs },
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${last?.status} (${last?.status_reason}): ${last?.status_message}`);
    });
  }

  running(id: string): Promise<Pod> {
    return this.podThat('running', id, ({ status, ready }) => status === 'running' && ready);
  }

  async logs(id: string): Promise<string[]> {
    const { data, error } = await this.client.from('pod_logs').select('message').eq('pod_id', id).order('seq');
    if (error) throw error;
    return (data as { message: string }[]).map(({ message }) => message);
  }
}

async function signIn({ stack }: TestStack, account: typeof ADMIN): Promise<StarkClient> {
  const client = createStarkClient({ url: stack.url, key: stack.keys.publishable, auth: { persistSession: false } });
  const { error } = await client.auth.signInWithPassword(account);
  if (error) throw error;
  return client;
}
