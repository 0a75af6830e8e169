/** Where the pgTAP files are. */
export declare const testsFolder: string;

/** The pgTAP files, in order. */
export declare function tapFiles(): Promise<string[]>;

/** Installs pgTAP and the helpers that the files use. */
export declare function prepareTap(url: string): Promise<void>;

/** Runs one file; each failure is the text of a failed assertion with its diagnostics, or says that the file broke. */
export declare function runTapFile(
  url: string,
  name: string,
  text?: string,
): Promise<{ tests: number; failures: string[] }>;
