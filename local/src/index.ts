export { StackError } from './errors.js';
export type { StackKeys } from './keys.js';
export { createLogger, type LogOptions } from './log.js';
export { type RealtimePlan, readStackState, Stack, type StackOptions, startStack, stopStack } from './stack.js';
export type { ServiceHealth, StackStatus } from './status.js';
export type { StepEvent } from './steps.js';
