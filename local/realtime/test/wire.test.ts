import type { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { decode, rawPayload } from '../src/wire/decode.js';
import { endFrame, pushFrame, replyFrame } from '../src/wire/encode.js';
import { BinaryBroadcast, FieldTooLong, TextMessage, UserBroadcast } from '../src/wire/fanned.js';
import { binaryFrame, textFrame } from '../src/wire/frame.js';
import { type Inbound, MalformedMessage } from '../src/wire/message.js';

// The types leave out the class that reads frames.
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

/** Reads a frame with the library that clients use. */
function unframed(frame: Buffer | null): { data: Buffer; isBinary: boolean } {
  if (frame === null) throw new Error('there is no frame');
  const receiver = new Receiver({ isServer: false });
  let found: { data: Buffer; isBinary: boolean } | null = null;
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    found = { data, isBinary };
  });
  receiver.write(frame);
  if (found === null) throw new Error('the frame is not complete');
  return found;
}

const textOf = (frame: Buffer | null) => JSON.parse(unframed(frame).data.toString());

function push(kind: number, strings: string[], encoding: number | null, body: string | Buffer): Buffer {
  const fields = strings.map((text) => Buffer.from(text));
  const sizes = fields.map((field) => field.length);
  return Buffer.concat([
    Buffer.from([kind, ...sizes, ...(encoding === null ? [] : [encoding])]),
    ...fields,
    Buffer.from(body),
  ]);
}

describe('messages from a client', () => {
  const base = { joinRef: '1', ref: '2', topic: 'realtime:a', event: 'e', payload: { n: 1 } };
  const good: [name: string, vsn: 1 | 2, frame: string | Buffer, message: Inbound][] = [
    ['vsn 2', 2, '["1","2","realtime:a","e",{"n":1}]', base],
    [
      'vsn 2 with nulls',
      2,
      '[null,null,"phoenix","heartbeat",{}]',
      { joinRef: null, ref: null, topic: 'phoenix', event: 'heartbeat', payload: {} },
    ],
    ['vsn 2 with more than five', 2, '["1","2","realtime:a","e",{"n":1},"more"]', base],
    ['vsn 1', 1, '{"topic":"realtime:a","event":"e","payload":{"n":1},"ref":"2","join_ref":"1"}', base],
    [
      'vsn 1 without join_ref',
      1,
      '{"topic":"realtime:a","event":"e","payload":{"n":1},"ref":null}',
      { ...base, joinRef: null, ref: null },
    ],
    [
      'kind 3, JSON',
      2,
      push(3, ['1', '2', 'realtime:a', 'müde', ''], 1, '{"n":1}'),
      {
        ...base,
        event: 'broadcast',
        payload: null,
        push: { event: 'müde', encoding: 'json', body: Buffer.from('{"n":1}') },
      },
    ],
    [
      'kind 3, bytes and metadata',
      2,
      push(3, ['', '', 'realtime:a', 'e', '{"a":1}'], 0, Buffer.from([0, 255])),
      {
        joinRef: '',
        ref: '',
        topic: 'realtime:a',
        event: 'broadcast',
        payload: null,
        push: { event: 'e', encoding: 'binary', body: Buffer.from([0, 255]) },
      },
    ],
    [
      'kind 0',
      2,
      push(0, ['1', '2', 'realtime:a', 'e'], null, 'x'),
      { ...base, payload: null, binary: Buffer.from('x') },
    ],
  ];
  it.each(good)('%s', (_name, vsn, frame, message) => {
    const { text, ...rest } = decode(vsn, Buffer.from(frame as string), typeof frame !== 'string');
    expect(rest).toEqual(message);
    expect(text).toBe(typeof frame === 'string' ? frame : undefined);
  });

  const bad: [name: string, vsn: 1 | 2, frame: string | Buffer][] = [
    ['no JSON', 2, '{'],
    ['an object in vsn 2', 2, '{"topic":"a"}'],
    ['four elements', 2, '["1","2","realtime:a","e"]'],
    ['a topic that is a number', 2, '["1","2",3,"e",{}]'],
    ['an event that is null', 2, '["1","2","a",null,{}]'],
    ['a ref that is an object', 2, '["1",{},"a","e",{}]'],
    ['an array in vsn 1', 1, '["1","2","realtime:a","e",{}]'],
    ['vsn 1 without ref', 1, '{"topic":"a","event":"e","payload":{}}'],
    ['vsn 1 without payload', 1, '{"topic":"a","event":"e","ref":"1"}'],
    ['null', 1, 'null'],
    ['a binary frame in vsn 1', 1, push(3, ['1', '2', 'realtime:a', 'e', ''], 1, '{}')],
    ['an empty binary frame', 2, Buffer.alloc(0)],
    ['an unknown kind', 2, push(4, ['a', 'e', ''], 1, '{}')],
    ['a header cut short', 2, Buffer.from([3, 1, 1])],
    ['strings cut short', 2, Buffer.from([3, 200, 1, 1, 1, 0, 1, 65])],
    ['metadata that is no JSON', 2, push(3, ['1', '2', 'realtime:a', 'e', '{'], 1, '{}')],
  ];
  it.each(bad)('%s is malformed', (_name, vsn, frame) => {
    expect(() => decode(vsn, Buffer.from(frame as string), typeof frame !== 'string')).toThrow(MalformedMessage);
  });
});

describe('the raw payload', () => {
  it.each([
    [2, '["1","2","t","e",{"n":12345678901234567890, "f":1.0}]', '{"n":12345678901234567890, "f":1.0}'],
    [2, ' [ null , null ,"[,]" , "e\\"]" , [1,{"a":"}]"}] , 6 ] ', '[1,{"a":"}]"}]'],
    [2, '["1","2","t","e",-1.5e3]', '-1.5e3'],
    [2, '["1","2","t","e","a\\\\"]', '"a\\\\"'],
    [1, '{"topic":"payload","payload" : {"payload":2 } ,"event":"e","ref":null}', '{"payload":2 }'],
    [1, '{"payload":1,"topic":"t","p\\u0061yload":[ ],"event":"e","ref":null}', '[ ]'],
    [1, '{"topic":"t","event":"e","ref":null,"payload":true}', 'true'],
  ] as const)('of vsn %i in %s', (vsn, text, payload) => {
    expect(JSON.parse(payload)).toEqual(decode(vsn, Buffer.from(text), false).payload);
    expect(rawPayload(vsn, text)).toBe(payload);
  });
});

describe('messages to a client', () => {
  it('replies carry the join_ref in vsn 2 only', () => {
    expect(textOf(replyFrame(2, '1', '2', 'realtime:a', 'ok', {}))).toEqual([
      '1',
      '2',
      'realtime:a',
      'phx_reply',
      { status: 'ok', response: {} },
    ]);
    expect(textOf(replyFrame(1, '1', '2', 'realtime:a', 'error', 'payload_size_exceeded'))).toEqual({
      topic: 'realtime:a',
      event: 'phx_reply',
      payload: { status: 'error', response: 'payload_size_exceeded' },
      ref: '2',
    });
  });

  it('pushes of a channel carry its join_ref and no ref, its end carries it twice', () => {
    expect(textOf(pushFrame(2, '1', 'realtime:a', 'system', {}))).toEqual(['1', null, 'realtime:a', 'system', {}]);
    expect(textOf(endFrame(2, '1', 'realtime:a', 'phx_close'))).toEqual(['1', '1', 'realtime:a', 'phx_close', {}]);
    expect(textOf(endFrame(1, '1', 'realtime:a', 'phx_error'))).toEqual({
      topic: 'realtime:a',
      event: 'phx_error',
      payload: {},
      ref: '1',
    });
  });

  it('fanned-out text has no refs', () => {
    const message = new TextMessage('realtime:a', 'presence_diff', '{"joins":{},"leaves":{}}');
    expect(textOf(message.frame(2))).toEqual([null, null, 'realtime:a', 'presence_diff', { joins: {}, leaves: {} }]);
    expect(textOf(message.frame(1))).toEqual({
      topic: 'realtime:a',
      event: 'presence_diff',
      payload: { joins: {}, leaves: {} },
      ref: null,
    });
  });

  it('a user broadcast is kind 4 in vsn 2', () => {
    const message = new UserBroadcast(
      'realtime:a',
      { event: 'é', encoding: 'json', body: Buffer.from('{"n":1}') },
      'id-1',
    );
    const { data, isBinary } = unframed(message.frame(2));
    expect(isBinary).toBe(true);
    expect([...data.subarray(0, 5)]).toEqual([4, 10, 2, 13, 1]);
    expect(data.subarray(5).toString()).toBe('realtime:aé{"id":"id-1"}{"n":1}');
    expect(textOf(message.frame(1)).payload).toEqual({
      type: 'broadcast',
      event: 'é',
      payload: { n: 1 },
      meta: { id: 'id-1' },
    });
  });

  it('raw bytes cannot be shown in vsn 1', () => {
    const message = new UserBroadcast('realtime:a', { event: 'e', encoding: 'binary', body: Buffer.from([1]) });
    expect(message.frame(1)).toBeNull();
    expect([...unframed(message.frame(2)).data.subarray(0, 5)]).toEqual([4, 10, 1, 0, 0]);
    expect(new BinaryBroadcast('realtime:a', Buffer.from('x')).frame(1)).toBeNull();
    expect([...unframed(new BinaryBroadcast('realtime:a', Buffer.from('x')).frame(2)).data.subarray(0, 3)]).toEqual([
      2, 10, 9,
    ]);
  });

  it('is encoded once for all', () => {
    const message = new TextMessage('realtime:a', 'broadcast', '{}');
    expect(message.frame(2)).toBe(message.frame(2));
  });

  it.each([
    ['topic', 'realtime:'.padEnd(256, 'x'), 'e'],
    ['event', 'realtime:a', 'é'.repeat(128)],
  ])('a %s of 256 bytes cannot be encoded, one of 255 can', (_name, topic, event) => {
    const body = { encoding: 'json' as const, body: Buffer.from('{}') };
    expect(() => new UserBroadcast(topic, { event, ...body }).frame(2)).toThrow(FieldTooLong);
    const shorter = [topic, event].map((text) => (Buffer.byteLength(text) > 255 ? text.slice(0, -1) : text)) as [
      string,
      string,
    ];
    expect(new UserBroadcast(shorter[0], { event: shorter[1], ...body }).frame(2)).not.toBeNull();
  });

  it.each([0, 125, 126, 65_535, 65_536, 100_000])('frames of %i bytes are read by ws', (length) => {
    const { data, isBinary } = unframed(textFrame('x'.repeat(length)));
    expect([data.length, isBinary]).toEqual([length, false]);
    expect(unframed(binaryFrame([Buffer.alloc(length, 1)])).data.length).toBe(length);
  });
});
