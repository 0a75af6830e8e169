export declare const typesPath: string;

/** The types of schema `stark` in the database behind `url`. */
export declare function generateTypes(url: string): Promise<string>;
