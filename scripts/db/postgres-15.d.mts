/** True where the server is installed. */
export declare const hasPostgres15: boolean;

/** What to do where it is not. */
export declare const howToInstall: string;
