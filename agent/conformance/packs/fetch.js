/** HTTP as packs see it. The server allows every origin, as it must for pods in a browser. */
export default async ({ fetch, config, log, signal }) => {
  const { url } = config;
  const answer = await fetch(`${url}json?a=1`, { headers: { accept: 'application/json' } });
  log.info('json', { status: answer.status, type: answer.headers.get('content-type'), body: await answer.json() });
  const echo = await fetch(`${url}echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'ünïcödé' }),
  });
  log.info('echo', { body: await echo.text() });
  const missing = await fetch(`${url}missing`);
  log.info('missing', { ok: missing.ok, status: missing.status });
  const bytes = new Uint8Array(await (await fetch(`${url}bytes`)).arrayBuffer());
  log.info('bytes', { bytes: [...bytes] });
  let text = '';
  const decoder = new TextDecoder();
  const reader = (await fetch(`${url}stream`)).body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value);
  log.info('stream', { text });
  const nobody = await fetch('http://127.0.0.1:9/', { signal }).catch((error) => error.name);
  const late = await fetch(`${url}never`, { signal: AbortSignal.timeout(100) }).catch((error) => error.name);
  log.info('failures', { nobody, late });
};
