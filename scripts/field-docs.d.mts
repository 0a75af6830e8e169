/** What each field of each kind of thing is. */
export declare const fieldDocsPath: string;

/** Text of that file for the schemas and columns as they are. */
export declare function fieldDocs(): Promise<string>;
