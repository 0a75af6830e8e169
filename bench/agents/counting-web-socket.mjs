import WebSocket from 'ws';

/** What all sockets of this process sent and were sent: messages by topic and event, and bytes. */
export const counts = { sent: {}, received: {}, receivedBytes: 0, heartbeatBytes: 0 };

const HEARTBEAT = 'stark:heartbeat broadcast heartbeat';

/** A WebSocket that counts Realtime's messages (protocol 2.0.0) on their way. */
export class CountingWebSocket extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on('message', (data, isBinary) => {
      counts.receivedBytes += data.length;
      count('received', data, isBinary);
    });
  }

  send(data, ...rest) {
    count('sent', data, typeof data !== 'string');
    return super.send(data, ...rest);
  }
}

function count(way, data, isBinary) {
  const kind = isBinary ? kindOfPush(Buffer.from(data)) : nameOf(...JSON.parse(data.toString()).slice(2));
  counts[way][kind] = (counts[way][kind] ?? 0) + 1;
  if (way === 'sent' && kind === HEARTBEAT) counts.heartbeatBytes += Buffer.byteLength(data);
}

/**
 * Binary frames are broadcasts. A client's (kind 3) has seven bytes before its texts: kind, the lengths of join ref, ref, topic,
 * event and metadata, encoding; one to a client (kind 4) has no refs.
 */
function kindOfPush(frame) {
  const [joinRef, ref] = frame[0] === 3 ? frame.subarray(1, 3) : [0, 0];
  const lengths = frame[0] === 3 ? 3 : 1;
  const [topic, event] = frame.subarray(lengths);
  const start = lengths + 4 + joinRef + ref;
  return nameOf(frame.toString('utf8', start, start + topic), 'broadcast', {
    event: frame.toString('utf8', start + topic, start + topic + event),
  });
}

function nameOf(topic, event, payload) {
  const place = topic.replace(/^realtime:/, '').replace(/:[0-9a-f-]{36}$/, '');
  // A track is an event "presence" and a broadcast an event "broadcast"; what they are stands in the payload.
  const what = event === 'broadcast' || event === 'presence' ? `${event} ${payload?.event ?? ''}`.trim() : event;
  return `${place} ${what}`;
}
