export { StackError } from './errors.js';
export type { StackKeys } from './keys.js';
export { createLogger, type LogOptions } from './log.js';
export { readStackState, stopStack } from './running-stack.js';
export { type RealtimePlan, Stack, type StackOptions, startStack } from './stack.js';
export type { ServiceHealth, StackStatus } from './status.js';
export type { StepEvent } from './steps.js';
