/** The page of all commands. */
export declare const cliPage: string;

/** Text of that page for the commands as they are compiled. */
export declare function cliReference(): Promise<string>;
