import type { PodLogLine } from '@stark-o/core';

/** One line of `append_pod_logs`; `seq` grows with every line of the pod, across restarts of the pod and of the agent. */
export type LogLine = PodLogLine;
