export declare const goldenPath: string;

/** The dump of the database behind `url`. */
export declare function dumpSchemas(url: string): Promise<string>;
