import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { StackError } from '../src/errors.js';
import { type StepEvent, Steps } from '../src/steps.js';

const silent = pino({ level: 'silent' });

describe('Steps', () => {
  it('tells when a step began and ended, in order', async () => {
    const events: StepEvent[] = [];
    const steps = new Steps(silent, (event) => events.push(event));
    expect(await steps.run('one', { deadlineMs: 1000, hint: '' }, async () => 1)).toBe(1);
    await steps.run('two', { deadlineMs: 1000, hint: '' }, async () => 2);
    expect(events.map(({ step, state }) => `${step} ${state}`)).toEqual([
      'one running',
      'one done',
      'two running',
      'two done',
    ]);
  });

  it('tries a passing failure again and says so', async () => {
    const events: StepEvent[] = [];
    let tries = 0;
    const result = await new Steps(silent, (event) => events.push(event)).run(
      'flaky',
      { deadlineMs: 1000, retries: 2, hint: '' },
      async () => {
        if (++tries < 3) throw new Error('not yet');
        return tries;
      },
    );
    expect(result).toBe(3);
    expect(events.filter((event) => event.state === 'retrying')).toHaveLength(2);
  });

  it('ends with one error that names the step, the cause and the way out', async () => {
    const failure = await new Steps(silent)
      .run('broken', { deadlineMs: 1000, hint: 'do this' }, () => Promise.reject(new Error('why')))
      .catch((error) => error);
    expect(failure).toBeInstanceOf(StackError);
    expect(failure).toMatchObject({ step: 'broken', message: 'why', hint: 'do this' });
  });

  it('does not retry what already has its own diagnosis', async () => {
    let tries = 0;
    const diagnosed = new StackError('broken', 'PORT_TAKEN', 'taken');
    const run = new Steps(silent).run('broken', { deadlineMs: 1000, retries: 5, hint: '' }, async () => {
      tries++;
      throw diagnosed;
    });
    await expect(run).rejects.toBe(diagnosed);
    expect(tries).toBe(1);
  });

  it('gives up on a step that hangs', async () => {
    await expect(
      new Steps(silent).run('hung', { deadlineMs: 20, hint: '' }, () => new Promise(() => {})),
    ).rejects.toMatchObject({
      code: 'STEP_TIMEOUT',
      step: 'hung',
    });
  });
});
