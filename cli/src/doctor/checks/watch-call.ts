import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeFacts } from '@stark-o/core/model';
import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { failed, ok } from '../finding.js';
import type { Subject } from '../subject.js';
import { vaultFix, vaultHint } from './vault.js';

/** pg_net gives a request five seconds. */
const patienceMs = 8_000;
const pauseMs = 250;

/** The database reaches function watch, with the key that Vault has, and it is the one that listens for this database. */
export const watchCall: Check = {
  id: 'watch-call',
  title: 'The database can call the watcher',
  after: ['vault', 'functions'],
  run: async (subject) => {
    const id = await subject.probe();
    if (id === null) return failed('Vault lacks the URL or the key', vaultHint, vaultFix(subject));
    const answer = await answerTo(subject, id);
    return answer === undefined ? unsent() : judge(subject, answer);
  },
};

async function answerTo(subject: Subject, id: number): Promise<ProbeFacts | undefined> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const { probe } = await subject.freshFacts();
    // Somebody who asked later asked the same.
    if (probe !== null && probe.id >= id && (probe.status !== null || probe.error !== null)) return probe;
    await sleep(pauseMs);
  }
  return undefined;
}

const unsent = () =>
  failed(
    'pg_net has sent nothing in eight seconds: its worker is not running',
    'in the SQL editor: select net.worker_restart()',
  );

function judge(subject: Subject, { status, error, body }: ProbeFacts): Finding {
  const wrong = (message: string) => failed(message, vaultHint, vaultFix(subject));
  if (status === null) return wrong(`the project_url in Vault leads nowhere: ${error}`);
  if (status === 401 || status === 403)
    return wrong('the secret_key in Vault is refused: it is old, or of another project');
  const said = objectIn(body);
  if (status === 200 && said.function === 'watch') {
    if (said.database === false)
      return wrong('the project_url in Vault leads to another project, whose database is not this one');
    return ok('by the URL and the key in Vault');
  }
  if (status === 404 || status === 405) {
    return failed(
      'behind the project_url in Vault there is no function watch, or an older one',
      'supabase functions deploy watch, or stark doctor --fix',
      vaultFix(subject),
    );
  }
  return failed(
    `function watch answered HTTP ${status} to the database`,
    'look into its log, or supabase functions deploy watch',
  );
}

function objectIn(text: string | null): { function?: unknown; database?: unknown } {
  try {
    return JSON.parse(text ?? '') as object;
  } catch {
    return {};
  }
}
