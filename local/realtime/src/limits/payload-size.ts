/** Room the real server leaves above the configured kilobytes. */
const PADDING = 500;

/** No JSON text grows to more than this many times its size as a term. */
const MAX_GROWTH = 3;

/** Size in bytes of a decoded JSON value in Erlang's external term format, which is what the real server measures. */
export function termSize(value: unknown): number {
  return 1 + sizeOf(value);
}

/** Size of a kind 3 push as the real server holds it: a tuple of event, encoding, bytes and metadata. */
export function userBroadcastTermSize(eventBytes: number, bodyBytes: number): number {
  return 1 + 2 + (5 + eventBytes) + 8 + (5 + bodyBytes) + 5;
}

/** Size of raw bytes as a term. */
export function bytesTermSize(bytes: number): number {
  return 1 + 5 + bytes;
}

/** Decides whether payloads fit the project's limit. */
export class PayloadLimit {
  readonly #max: number;

  constructor(kilobytes: number) {
    this.#max = kilobytes * 1_000 + PADDING;
  }

  /** Whether a term of this size fits. */
  fits(size: number): boolean {
    return size <= this.#max;
  }

  /** Whether a decoded JSON value fits; its JSON length saves the walk through small ones. */
  fitsJson(value: unknown, jsonLength: number): boolean {
    return jsonLength * MAX_GROWTH <= this.#max || this.fits(termSize(value));
  }
}

function sizeOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return 5 + Buffer.byteLength(value);
    case 'number':
      return numberSize(value);
    case 'boolean':
      return value ? 6 : 7;
    case 'object':
      if (value === null) return 5;
      if (Array.isArray(value)) return listSize(value);
      return mapSize(value as Record<string, unknown>);
    default:
      return 5;
  }
}

function numberSize(value: number): number {
  if (!Number.isInteger(value)) return 9;
  if (value >= 0 && value <= 255) return 2;
  if (value >= -2_147_483_648 && value <= 2_147_483_647) return 5;
  return 3 + Math.ceil(Math.log2(Math.abs(value) + 1) / 8);
}

function listSize(values: unknown[]): number {
  if (values.length === 0) return 1;
  let size = 6;
  for (const value of values) size += sizeOf(value);
  return size;
}

function mapSize(map: Record<string, unknown>): number {
  let size = 5;
  for (const key in map) size += 5 + Buffer.byteLength(key) + sizeOf(map[key]);
  return size;
}
