import type { Check } from '../check.js';
import type { Finding, Fix } from '../finding.js';
import { failed, ok, warning } from '../finding.js';
import type { Subject } from '../subject.js';

/** What to type where Vault is wrong. */
export const vaultHint = 'stark doctor --fix';

/** Has Edge Function api write what the platform gives it, so that nobody needs to know the secret key. */
export const vaultFix = (subject: Subject): Fix => ({
  what: `Write the URL and the secret key of ${subject.url} into its Vault`,
  run: () => subject.writeVault(),
});

/** Vault has by what pg_cron calls the watcher. */
export const vault: Check = {
  id: 'vault',
  title: 'Secrets in Vault',
  after: ['extensions'],
  run: async (subject) => {
    const facts = await subject.facts();
    if ('instead' in facts) return facts.instead;
    const wrong = (message: string): Finding => failed(message, vaultHint, vaultFix(subject));
    if (facts.vault === null) return failed('Vault cannot be read', 'stark doctor shows the missing grant');
    const { project_url: url, secret_key: kind, error } = facts.vault;
    if (error !== null) return wrong(`Vault cannot be decrypted: ${error}`);
    const missing = Object.entries({ project_url: url, secret_key: kind }).flatMap(([name, value]) =>
      value ? [] : name,
    );
    if (missing.length > 0) return wrong(`missing: ${missing.join(' and ')}; nobody watches the nodes`);
    if (kind === 'publishable' || kind === 'unknown')
      return wrong(`secret_key is ${kind === 'unknown' ? 'no key' : 'a publishable key'}`);
    if (kind === 'legacy') {
      return {
        ...warning('secret_key is a legacy key (service_role): Supabase ends them with 2026', vaultHint),
        fix: vaultFix(subject),
      };
    }
    return ok(`project_url is ${url}, secret_key is there`);
  },
};
