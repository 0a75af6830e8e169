import WebSocket from 'ws';

/** What is wrong with the machine of an agent: its clock is so many milliseconds ahead, its sockets lose that part of all messages. */
export function breakMachine({ clockAheadMs, loss, lostLine }) {
  if (clockAheadMs !== undefined) setClock(clockAheadMs);
  if (loss !== undefined) loseMessages(loss, lostLine);
}

function setClock(aheadMs) {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [RealDate.now() + aheadMs] : args));
    }
    static now() {
      return RealDate.now() + aheadMs;
    }
  };
}

// Both ways and of every kind: joins and their answers, presence, heartbeats of the socket, commands.
function loseMessages(part, line) {
  const lost = () => {
    if (Math.random() >= part) return false;
    process.stderr.write(`${line}\n`);
    return true;
  };
  const { send, emit } = WebSocket.prototype;
  WebSocket.prototype.send = function (...args) {
    if (!lost()) send.apply(this, args);
  };
  WebSocket.prototype.emit = function (event, ...args) {
    return event === 'message' && lost() ? true : emit.call(this, event, ...args);
  };
}
