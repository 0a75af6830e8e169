import { createRequire } from 'node:module';

/** What we use of fs-native-extensions: throws EAGAIN when another open file has the lock, else what the system said. */
export interface Addon {
  tryLock(file: number, offset: number, length: number, exclusive: boolean): void;
}

const require = createRequire(import.meta.url);
let addon: Addon | undefined;

/** Where the package keeps the binary of a platform. */
export const binaryOf = (platform: string, arch: string): string =>
  `fs-native-extensions/prebuilds/${platform}-${arch}/fs-native-extensions.node`;

/**
 * Loads the binary itself and not the package's own loader. That one refuses musl, where the binary runs well since it needs
 * nothing but plain functions of the C library, and takes 18 ms to look for what stands in a fixed place (1 ms).
 */
export function loadAddon(): Addon {
  try {
    addon ??= require(binaryOf(process.platform, process.arch)) as Addon;
    return addon;
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    const missing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    const reason = missing ? `fs-native-extensions has no binary for ${platform}` : (cause as Error).message;
    throw new Error(reason, { cause });
  }
}
