import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { failed, ok, warning } from '../finding.js';
import type { Subject } from '../subject.js';

/** Something answers at the URL that is a Supabase project and awake. */
export const url: Check = {
  id: 'url',
  title: 'The cluster answers',
  run: async (subject) => {
    try {
      return judge(subject, await subject.gateway());
    } catch (error) {
      return unreachable(subject, error);
    }
  },
};

const elsewhere = (subject: Subject) =>
  `stark context set ${subject.settings.context} --url https://<ref>.supabase.co --key sb_publishable_…`;

function judge(subject: Subject, { status, body, ms }: Awaited<ReturnType<Subject['gateway']>>): Finding {
  const said = `${subject.url} answers in ${Math.round(ms)} ms`;
  if (status === 540) {
    return failed(`${subject.url} is paused`, 'restore it on its page in the dashboard, and wait some minutes');
  }
  // Auth says its name, and a gateway that does not like the key says so.
  const isSupabase = 'name' in body || 'version' in body || status === 401 || status === 403;
  if (status >= 500) return failed(`${said}, with HTTP ${status}`, statusHint(subject));
  if (!isSupabase) return failed(`${said}, but is no Supabase project (HTTP ${status})`, elsewhere(subject));
  if (subject.url.startsWith('http:') && !subject.isLocal) {
    return warning(`${said}, not encrypted: passwords and tokens can be read on the way`, elsewhere(subject));
  }
  return ok(said);
}

const certificates = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/;

function unreachable(subject: Subject, error: unknown): Finding {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const code = cause?.code ?? (error as Error).name;
  const { hostname } = new URL(subject.url);
  if (certificates.test(code)) {
    return failed(
      `the certificate of ${hostname} is not trusted (${code})`,
      'set NODE_EXTRA_CA_CERTS to the file of the authority that signed it',
    );
  }
  const known: Record<string, string> = {
    ENOTFOUND: 'there is no such host',
    TimeoutError: 'no answer in time',
    STACK_CHANGED: 'what answers there is not the stack that is known, so it was told nothing',
  };
  return failed(
    `${subject.url}: ${known[code] ?? code}`,
    subject.isLocal ? 'stark up --detach' : `look at the project in the dashboard, or ${elsewhere(subject)}`,
  );
}

const statusHint = (subject: Subject) =>
  subject.isLocal ? 'stark status' : 'look at the project in the dashboard: it may be starting, or out of room';
