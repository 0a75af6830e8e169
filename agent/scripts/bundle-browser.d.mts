export function bundleBrowserAgent(): Promise<string>;
export function writeBrowserAgent(): Promise<void>;
