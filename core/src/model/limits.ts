import type { PodRequest } from './api.js';

/**
 * The most that one call of a function takes: callers cut what is more into several calls, each a transaction of its own. The
 * database refuses more than this (`stark_internal.call_limit`); docs/limits.md says how each was sized.
 */
export const CALL_LIMITS = {
  /** Pods in one call of create_pods, update_pods, stop_pods or delete_pods. */
  pods: 200,
  /** Entries in one call of create_pods. */
  podEntries: 50,
  /** Bytes of entries in one call of create_pods; an entry counts once for each replica. */
  podBytes: 524_288,
  /** Reports in one call of report_pods. */
  reports: 500,
  /** Reports on one pod in one call of report_pods. */
  reportsOfOnePod: 100,
  /** Lines in one call of append_pod_logs. */
  logLines: 5_000,
  /** Bytes of lines in one call of append_pod_logs. */
  logBytes: 4_194_304,
  /** Pods that a node may offer to run at once. */
  podsOfANode: 500,
} as const;

/** Rows that a reader asks for at once: as many as PostgREST gives, unless the project says fewer. */
export const PAGE_ROWS = 1_000;
const MIN_ROWS = 100;

/** Whether more rows may come after a page of so many. A page that is not full says nothing: the project may give fewer than were asked for. */
export function mayHaveMore(rows: number): boolean {
  return rows >= MIN_ROWS;
}

/**
 * Cuts requests for pods into calls of create_pods that are small enough, in order. The replicas of a request are shared out
 * evenly, so that none is left alone: a single pod of a name has exactly that name, several have one made from it.
 */
export function cutPodRequests(requests: readonly PodRequest[]): PodRequest[][] {
  const calls: PodRequest[][] = [];
  let room = { entries: 0, pods: 0, bytes: 0 };
  for (const request of requests) {
    const each = bytesOf(request);
    for (const replicas of portionsOf(request.replicas ?? 1, Math.floor(CALL_LIMITS.podBytes / each))) {
      const bytes = replicas * each;
      if (room.entries < 1 || room.pods < replicas || room.bytes < bytes) {
        calls.push([]);
        room = { entries: CALL_LIMITS.podEntries, pods: CALL_LIMITS.pods, bytes: CALL_LIMITS.podBytes };
      }
      calls.at(-1)?.push(replicas === (request.replicas ?? 1) ? request : { ...request, replicas });
      room = { entries: room.entries - 1, pods: room.pods - replicas, bytes: room.bytes - bytes };
    }
  }
  return calls;
}

/** So many replicas in as few portions as can be, each of about the same size. */
function portionsOf(replicas: number, mostByBytes: number): number[] {
  const parts = Math.ceil(replicas / Math.max(1, Math.min(CALL_LIMITS.pods, mostByBytes)));
  const ends = Array.from({ length: parts + 1 }, (_, part) => Math.floor((replicas * part) / parts));
  return ends.slice(1).map((end, part) => end - (ends[part] ?? 0));
}

/** An upper bound of the bytes that Postgres counts: its text of a JSON object has a space after each comma and colon. */
function bytesOf(request: PodRequest): number {
  const text = JSON.stringify({ ...request, replicas: CALL_LIMITS.pods });
  return new TextEncoder().encode(text).length + (text.match(/[,:]/g)?.length ?? 0);
}
