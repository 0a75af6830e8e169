import { lchownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { WantedPod } from '../reconciler/pod.js';
import { takeAway } from './remove-folder.js';

// What Node.js and its libraries in C read once, before the first line of a program. In none of these is a way out of the sandbox.
const READ_AT_START =
  /^(TZ|LANG|LC_[A-Z]+|UV_THREADPOOL_SIZE|UV_USE_IO_URING|MALLOC_[A-Z_]+|NODE_DEBUG|NODE_DEBUG_NATIVE|NODE_NO_WARNINGS|NODE_PENDING_DEPRECATION|NODE_TLS_REJECT_UNAUTHORIZED|NODE_USE_ENV_PROXY|NODE_USE_SYSTEM_CA|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$/;
/** Also read at the start, and not to be had: flags, code and files from outside would come in, or go out, by them. */
const REFUSED =
  /^(NODE_OPTIONS|NODE_PATH|NODE_ICU_DATA|NODE_V8_COVERAGE|NODE_REDIRECT_WARNINGS|NODE_COMPILE_CACHE|NODE_PRESERVE_SYMLINKS(_MAIN)?|NODE_CHANNEL_[A-Z_]+|OPENSSL_(CONF|ENGINES|MODULES)|SSL_CERT_(FILE|DIR)|GLIBC_TUNABLES|LD_[A-Z_]+|DYLD_[A-Z_]+)$/;
const PROXY = /proxy$/i;
const CA = 'NODE_EXTRA_CA_CERTS';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const MAX_CA_BYTES = 1024 * 1024;

/** Why a pod with this environment cannot be started. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/**
 * The environment that a pod's process or thread is started with. The pack's own variables come over the channel once Node.js is up,
 * since some would lead out of the sandbox; those that would be too late then are here too, or refused by name.
 */
export function environmentOf(pod: WantedPod, nodeName: string, dataDir: string): Record<string, string> {
  const wanted = pod.spec.env ?? {};
  const names = Object.keys(wanted);
  const refused = names.find((name) => REFUSED.test(name));
  if (refused !== undefined) {
    const instead = /^SSL_CERT/.test(refused) ? `; ${CA} takes certificates` : '';
    throw new EnvironmentError(
      `${refused} in spec.env would be read before the sandbox stands: a pod cannot have it${instead}`,
    );
  }
  if (pod.spec.isolation === 'worker') {
    const late = names.find((name) => name === CA || (READ_AT_START.test(name) && !PROXY.test(name)));
    if (late !== undefined) {
      throw new EnvironmentError(`${late} in spec.env is read when a process starts: it needs isolation: process`);
    }
  }
  const early = Object.fromEntries(Object.entries(wanted).filter(([name]) => READ_AT_START.test(name)));
  const certificates = [...agentCertificates(), ...podCertificates(wanted[CA], dataDir)];
  return {
    ...early,
    HOME: dataDir,
    TMPDIR: emptyFolder(join(dataDir, '.tmp')),
    ...(certificates.length > 0 && { [CA]: writeCertificates(join(dataDir, '.ca.pem'), certificates) }),
    STARK_POD_ID: pod.id,
    STARK_POD_NAME: pod.name,
    STARK_NAMESPACE: pod.namespace,
    STARK_NODE_NAME: nodeName,
    STARK_PACK: pod.pack,
    STARK_VERSION: pod.version,
    STARK_DATA_DIR: dataDir,
  };
}

/** The environment of a process whose threads are pods: certificates are the process's. */
export function hostEnvironment(): Record<string, string> {
  const own = process.env[CA];
  return own ? { [CA]: resolve(own) } : {};
}

/** A network that needs certificates of its own needs them for pods as for their agent. */
function agentCertificates(): string[] {
  const path = process.env[CA];
  if (!path) return [];
  // Node.js warns of a file that it cannot read and goes on; so did the agent.
  return certificatesIn(path) ?? [];
}

/** The value is a file, or the certificates themselves. Of a file the agent takes nothing but certificates, which are no secret. */
function podCertificates(value: string | undefined, dataDir: string): string[] {
  if (value === undefined || value === '') return [];
  const found = value.includes('-----BEGIN') ? value.match(CERTIFICATE) : certificatesIn(resolve(dataDir, value));
  if (found !== undefined && found !== null) return found;
  const what = value.includes('-----BEGIN') ? 'its text' : value;
  throw new EnvironmentError(`${CA} in spec.env: there are no certificates in ${what}`);
}

function certificatesIn(path: string): string[] | undefined {
  try {
    if (!statSync(path).isFile() || statSync(path).size > MAX_CA_BYTES) return undefined;
    return readFileSync(path, 'utf8').match(CERTIFICATE) ?? undefined;
  } catch {
    return undefined;
  }
}

/** What the agent makes there is the pod's, where that is a user of its own. */
function giveToOwner(path: string): string {
  const { uid, gid } = statSync(dirname(path));
  if (uid !== process.getuid?.()) lchownSync(path, uid, gid);
  return path;
}

/** What is in the pod's data folder goes out of its sight, into the folder that the agent removes with the pod. */
const besideData = (path: string) => dirname(dirname(path));

function writeCertificates(path: string, certificates: string[]): string {
  // Made anew: a link that an earlier run left there would lead the agent's hand.
  takeAway(path, besideData(path));
  writeFileSync(path, `${certificates.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  return giveToOwner(path);
}

function emptyFolder(path: string): string {
  takeAway(path, besideData(path));
  mkdirSync(path, { mode: 0o700 });
  return giveToOwner(path);
}
