import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { failed, ok } from '../finding.js';
import { ownFunctionsVersion } from '../project.js';
import type { Answer } from '../subject.js';

const names = ['api', 'watch'] as const;

/** Both Edge Functions are deployed, open to who has no JWT, and of the version that came with this command. */
export const functions: Check = {
  id: 'functions',
  title: 'Edge Functions are deployed',
  after: ['url'],
  run: async (subject) => {
    const [wanted, ...answers] = await Promise.all([
      ownFunctionsVersion(),
      ...names.map((name) => subject.get(`/functions/v1/${name}/health`)),
    ]);
    const problems = names.flatMap((name, at) => problemOf(name, answers[at] as Answer, wanted) ?? []);
    return problems[0] ?? ok(`${names.join(' and ')}, version ${wanted}`);
  },
};

function problemOf(name: string, { status, body }: Answer, wanted: string): Finding | undefined {
  const deploy = `supabase functions deploy ${name}`;
  if (status === 200 && body.function === name) {
    if (body.version === wanted) return undefined;
    return failed(`function ${name} is version ${body.version}, this command goes with ${wanted}`, deploy);
  }
  // The platform says this of a function that is not there; ours say it of a path that they do not know.
  if (status === 404) {
    const isOlder = typeof body.error === 'object';
    return failed(isOlder ? `function ${name} is an older version` : `function ${name} is not deployed`, deploy);
  }
  if (status === 401) {
    const message = `function ${name} asks for a JWT, which neither agents nor pg_cron have`;
    return failed(message, `${deploy} (supabase/config.toml has verify_jwt = false for it)`);
  }
  return failed(`function ${name} answers HTTP ${status}: ${body.message ?? ''}`, `look into its log, or ${deploy}`);
}
