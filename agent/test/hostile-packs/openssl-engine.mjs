// An engine of OpenSSL is machine code in a file of the pack's own.
import crypto from 'node:crypto';
import fs from 'node:fs';
import tls from 'node:tls';

export default () => {
  fs.writeFileSync('engine.so', '\x7fELF');
  const engine = `${process.cwd()}/engine.so`;
  try {
    crypto.setEngine(engine);
  } catch {
    // The other way in.
  }
  tls.createSecureContext({ privateKeyEngine: engine, privateKeyIdentifier: 'x' });
};
