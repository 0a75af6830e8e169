/** The file that says which version the Edge Functions are. */
export declare const versionPath: string;

/** Text of that file for the sources as they are. */
export declare function versionFile(): Promise<string>;
