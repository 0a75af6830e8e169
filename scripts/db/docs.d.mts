export const sqlPage: string;
export const errorsPage: string;
export function sqlReference(): Promise<string>;
export function errorReference(): Promise<string>;
