import { describe, expect, it } from 'vitest';
import { shownStatus } from '../src/model/pod-status.js';

describe('what a list shows of a pod', () => {
  it.each([
    ['running', null, 'running'],
    ['running', 'NotReady', 'running'],
    ['starting', 'CrashLoopBackOff', 'CrashLoopBackOff'],
    ['starting', 'PortConflict', 'PortConflict'],
    ['transferring', 'BundleUnavailable', 'BundleUnavailable'],
    ['pending', 'Unschedulable', 'pending'],
    ['failed', 'CrashLoopBackOff', 'failed'],
  ])('%s (%s): %s', (status, status_reason, shown) => {
    expect(shownStatus({ status, status_reason })).toBe(shown);
  });
});
