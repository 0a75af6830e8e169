import { unzipSync } from 'fflate';

/** Far beyond what 50 MB of ordinary files unpack to. */
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_FILES = 20_000;

/** The files in an archive of assets, by their names. Nothing of it is trusted: neither what it says of sizes nor its names. */
export function unpackAssets(archive: Uint8Array): Map<string, Uint8Array> {
  let bytes = 0;
  let count = 0;
  const filter = ({ name, originalSize }: { name: string; originalSize: number }) => {
    bytes += originalSize;
    count += 1;
    if (bytes > MAX_BYTES || count > MAX_FILES) throw new Error('it unpacks to too much');
    if (!isPlainName(name)) throw new Error(`it has a file ${JSON.stringify(name)}`);
    return !name.endsWith('/');
  };
  return new Map(Object.entries(unzipSync(archive, { filter })));
}

function isPlainName(name: string): boolean {
  if (name === '' || name.length > 1024 || /[\\:\0]/.test(name) || name.startsWith('/')) return false;
  const steps = name.replace(/\/$/, '').split('/');
  return steps.every((step) => step !== '' && step !== '.' && step !== '..');
}
