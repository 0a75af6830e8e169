import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * A WebSocket client that only counts: it reads frame headers and skips payloads, so that a thousand of them cost the
 * measuring process little and the server stays what is measured.
 */
export class CountingSocket {
  /** Binary frames that came. */
  binaryFrames = 0;
  #socket;
  #onBinary;
  #texts = [];
  #waiting = [];
  #left = Buffer.alloc(0);
  #skip = 0;

  constructor(socket, onBinary) {
    this.#socket = socket;
    this.#onBinary = onBinary;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => {});
  }

  /** Opens `path` on 127.0.0.1. */
  static async open(port, path, onBinary = () => {}) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    let answer = Buffer.alloc(0);
    while (!answer.includes('\r\n\r\n')) answer = Buffer.concat([answer, (await once(socket, 'data'))[0]]);
    if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) {
      throw new Error(`The upgrade was refused: ${answer.toString().slice(0, 300)}`);
    }
    const counting = new CountingSocket(socket, onBinary);
    const end = answer.indexOf('\r\n\r\n') + 4;
    if (answer.length > end) counting.#read(answer.subarray(end));
    return counting;
  }

  /** Sends one text frame. */
  sendText(text) {
    this.#send(0x81, Buffer.from(text));
  }

  /** Sends one binary frame. */
  sendBinary(bytes) {
    this.#send(0x82, bytes);
  }

  /** The next text frame, parsed. */
  async nextText() {
    const text = this.#texts.shift() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
    return JSON.parse(text);
  }

  /** Joins a topic in protocol 2.0.0 and waits for the answer. */
  async join(topic, ref, config) {
    this.sendText(JSON.stringify([ref, ref, `realtime:${topic}`, 'phx_join', { config }]));
    for (;;) {
      const [, replyRef, , event, payload] = await this.nextText();
      if (event !== 'phx_reply' || replyRef !== ref) continue;
      if (payload.status !== 'ok') throw new Error(`${topic} was refused: ${JSON.stringify(payload)}`);
      return;
    }
  }

  close() {
    this.#socket.destroy();
  }

  #send(opcode, payload) {
    const length = payload.length;
    // The mask is all zeros: allowed, and it leaves the payload as it is.
    const header =
      length < 126
        ? Buffer.from([opcode, 0x80 | length, 0, 0, 0, 0])
        : Buffer.from([opcode, 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0]);
    if (length > 65_535) throw new Error('Frames of this client end at 64 KB');
    this.#socket.write(Buffer.concat([header, payload]));
  }

  #read(chunk) {
    let data = chunk;
    if (this.#left.length > 0) {
      data = Buffer.concat([this.#left, chunk]);
      this.#left = Buffer.alloc(0);
    }
    let at = 0;
    for (;;) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, data.length - at);
        this.#skip -= step;
        at += step;
        if (this.#skip > 0) return;
        this.#binary();
        continue;
      }
      const rest = data.length - at;
      if (rest < 2) break;
      const opcode = data[at] & 15;
      let length = data[at + 1] & 127;
      let header = 2;
      if (length === 126) header = 4;
      else if (length === 127) header = 10;
      if (rest < header) break;
      if (length === 126) length = data.readUInt16BE(at + 2);
      else if (length === 127) length = Number(data.readBigUInt64BE(at + 2));
      if (opcode === 2) {
        at += header;
        if (length === 0) this.#binary();
        else this.#skip = length;
        continue;
      }
      if (rest < header + length) break;
      if (opcode === 1) this.#text(data.toString('utf8', at + header, at + header + length));
      at += header + length;
    }
    this.#left = data.subarray(at);
  }

  #binary() {
    this.binaryFrames += 1;
    this.#onBinary();
  }

  #text(text) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(text);
    else this.#texts.push(text);
  }
}
