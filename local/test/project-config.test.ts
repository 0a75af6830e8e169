import { describe, expect, it } from 'vitest';
import { parseProjectConfig } from '../src/config/project-config.js';
import { StackError } from '../src/errors.js';

describe('parseProjectConfig', () => {
  it('fills in what Supabase itself defaults to', () => {
    const config = parseProjectConfig('project_id = "x"');
    expect(config).toMatchObject({
      projectId: 'x',
      api: { port: 54321, maxRows: 1000 },
      db: { port: 54322 },
      auth: { enableSignup: true, jwtExpirySeconds: 3600 },
      storage: { fileSizeLimitBytes: 50 * 1024 * 1024 },
    });
  });

  it('reads what is written, function by function', () => {
    const config = parseProjectConfig(
      '[api]\nport = 1\n[functions.api]\nverify_jwt = false\n[functions.watch]\nentrypoint = "./w.ts"',
    );
    expect(config.api.port).toBe(1);
    expect(config.functions).toEqual({
      api: { enabled: true, verifyJwt: false },
      watch: { enabled: true, verifyJwt: true, entrypoint: './w.ts' },
    });
  });

  it.each([
    ['[api\nport = 1', 'CONFIG_SYNTAX', /:1:/, /TOML/],
    ['[api]\nprot = 1', 'CONFIG_UNKNOWN_KEY', /unknown key api\.prot/, /did you mean api\.port/],
    ['bananas = 1', 'CONFIG_UNKNOWN_KEY', /unknown key bananas/, /remove bananas/],
    ['[functions.api]\nverify = false', 'CONFIG_UNKNOWN_KEY', /functions\.api\.verify/, /remove/],
    ['[api]\nport = "x"', 'CONFIG_VALUE', /api\.port must be a port number, not "x"/, /api\.port/],
    ['[api]\nport = 70000', 'CONFIG_VALUE', /70000/, /api\.port/],
    ['[auth]\nenable_signup = 1', 'CONFIG_VALUE', /true or false/, /enable_signup/],
    ['[db]\nmajor_version = 15', 'CONFIG_VALUE', /is 15/, /major_version = 17/],
    ['[storage]\nfile_size_limit = "lots"', 'CONFIG_VALUE', /"lots"/, /50MiB/],
  ])('refuses %j', (text, code, message, hint) => {
    const error = catchError(() => parseProjectConfig(text));
    expect(error).toMatchObject({ step: 'config', code });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
    expect(error.hint).toMatch(hint);
  });
});

function catchError(work: () => unknown): StackError {
  try {
    work();
  } catch (error) {
    if (error instanceof StackError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
