/** One file of a web pack. */
export interface WebFile {
  /** Its content type. */
  type: string;
  /** Its bytes; packed with gzip when that makes them fewer. */
  base64: string;
  gzip?: true;
}

/** What the bundle of a website exports as `web`, beside the function that serves it. */
export interface WebPack {
  /** The file shown at `/`, and for paths of the site that name no file. */
  readonly index: string;
  /** By path from the site's root, without a leading slash. */
  readonly files: Readonly<Record<string, WebFile>>;
  /** The index page with its scripts, styles and pictures inside, for a frame that has no origin. Missing for runtime `node`. */
  readonly page?: string;
}
