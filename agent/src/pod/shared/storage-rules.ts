/** What a file system takes as a name, less room for an ending. */
const LONGEST_NAME = 250;

/** The name a key is stored under; throws where it cannot be one, in every runtime alike. */
export function storageName(key: string): string {
  if (typeof key !== 'string' || key === '') throw new TypeError('storage: a key is a text that is not empty');
  const name = encodeURIComponent(key);
  if (name.length > LONGEST_NAME) throw new RangeError(`storage: key too long: ${key.slice(0, 40)}…`);
  return name;
}

/** The value as it is stored; throws for what is not JSON. */
export function storageText(key: string, value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`storage.set(${JSON.stringify(key)}): the value is not JSON`);
  return text;
}
