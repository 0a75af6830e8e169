import * as Flags from '@oclif/core/flags';
import { EXIT_CODES, usageError } from '@stark-o/core/errors';
import { StarkCommand } from '../base/command.js';
import { placeFlags } from '../base/flags.js';
import { withProgramName } from '../base/program.js';
import { confirm, mayAsk } from '../base/prompt.js';
import { paint, printable, say } from '../base/terminal.js';
import { allChecks } from '../doctor/checks.js';
import { DatabaseSession } from '../doctor/database.js';
import type { Fix, Result } from '../doctor/finding.js';
import { type Outcome, runChecks, verdict } from '../doctor/run.js';
import { Subject } from '../doctor/subject.js';

export default class Doctor extends StarkCommand<typeof Doctor> {
  static override summary =
    'Look whether the cluster has everything that it needs, and say what to type where it has not.';
  static override description = [
    'What only the database can tell it tells an admin, or a caller who gives its URL; a check that nobody may make is skipped and says what to type. Ends with 0 when nothing has failed, and with 1 otherwise.',
    'With --fix, or after a question, it mends what it can: the secrets in Vault, which it has Edge Function api write, and, given the URL of the database, the jobs of pg_cron.',
  ].join('\n\n');
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --fix --output json'];
  static override flags = {
    ...placeFlags,
    'db-url': Flags.string({
      summary: 'URL of the database, as role postgres, for what nobody is signed in for.',
      env: 'STARK_DB_URL',
    }),
    fix: Flags.boolean({ summary: 'Mend what can be mended, without asking.' }),
  };

  async run(): Promise<void> {
    const database = this.#database();
    try {
      let outcomes = await this.#runChecks(database);
      if (await this.#mend(outcomes)) outcomes = await this.#runChecks(database);
      const result = verdict(outcomes);
      await this.printObject(await this.#object(outcomes, result), `doctor/${result}`, lines(outcomes));
      if (result === 'failed') process.exitCode = EXIT_CODES.failed;
    } finally {
      await database?.close();
    }
  }

  #database(): DatabaseSession | undefined {
    const url = this.flags['db-url'];
    if (url === undefined) return undefined;
    if (!/^postgres(ql)?:\/\//.test(url)) throw usageError('--db-url: this is no postgresql:// URL');
    return new DatabaseSession(url);
  }

  async #runChecks(database: DatabaseSession | undefined): Promise<Outcome[]> {
    const subject = new Subject(await this.settings(), { database, debug: this.debugging });
    return runChecks(allChecks(this.config.version), subject);
  }

  async #object(outcomes: readonly Outcome[], result: Result): Promise<object> {
    const { url, all } = await this.settings();
    const checks = outcomes.map(({ id, title, result, message, hint = null }) => ({
      id,
      title,
      result,
      message,
      hint,
    }));
    return { url, context: all.context.value ?? null, result, checks };
  }

  /** Whether something was mended. Two checks that have the same remedy take it once. */
  async #mend(outcomes: readonly Outcome[]): Promise<boolean> {
    const fixes = new Map<string, Fix>(outcomes.flatMap(({ fix }) => (fix === undefined ? [] : [[fix.what, fix]])));
    let mended = false;
    for (const { what, run } of fixes.values()) {
      if (!this.flags.fix && (!mayAsk() || (await this.format()) !== 'table')) continue;
      if (!(await confirm(`${what}?`, this.flags.fix))) continue;
      await run();
      say(`${paint(process.stderr, 'green', 'done:')} ${what}`);
      mended = true;
    }
    return mended;
  }
}

const colours: Readonly<Record<Result, Parameters<typeof paint>[1]>> = {
  ok: 'green',
  skipped: 'dim',
  warning: 'yellow',
  failed: 'red',
};

/** A line for each check, and what to type below those that are not well, said once where several wait for the same. */
function lines(outcomes: readonly Outcome[]): string[] {
  const width = Math.max(...outcomes.map(({ id }) => id.length));
  const said = new Set<string | undefined>([undefined]);
  return outcomes.flatMap(({ id, result, message, hint }) => {
    const line = `${paint(process.stdout, colours[result], result.padEnd(7))}  ${id.padEnd(width)}  ${printable(message)}`;
    if (said.has(hint)) return [line];
    said.add(hint);
    return [line, `${' '.repeat(width + 11)}${printable(withProgramName(hint ?? ''))}`];
  });
}
